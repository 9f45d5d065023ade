import type { Db } from "#db/client.ts";
import type { ArchivedReference, ArchiveLists } from "./archive.schemas.ts";

/**
 * Locks an account until the transaction ends, and returns whether it is empty, including the
 * trash. Two statements.
 */
export async function lockEmptyAccount({ sql }: Db, userId: string): Promise<boolean> {
  await sql`select from users where id = ${userId} for no key update`;
  const [row] = await sql<{ isEmpty: boolean }[]>`
    select not (
      exists (select from exercises where owner_id = ${userId})
      or exists (select from routines where owner_id = ${userId})
      or exists (select from plans where owner_id = ${userId})
      or exists (select from workouts where user_id = ${userId})
    ) as "isEmpty"`;
  return row?.isEmpty ?? false;
}

/** Ids of the catalog: of exercises by slug, and of muscles and equipment by name. */
export type CatalogIds = {
  exercises: Map<string, string>;
  muscles: Map<string, number>;
  equipment: Map<string, number>;
};

/** The ids of all muscles and equipment, and of the exercises with these slugs. */
export async function findCatalogIds({ sql }: Db, slugs: string[]): Promise<CatalogIds> {
  const [row] = await sql<
    { exercises: [string, string][]; muscles: [string, number][]; equipment: [string, number][] }[]
  >`
    select
      (select coalesce(json_agg(json_build_array(slug, id)), '[]') from exercises
        where owner_id is null and slug = any (${slugs}::text[])) as exercises,
      (select coalesce(json_agg(json_build_array(name, id)), '[]') from muscle_groups) as muscles,
      (select coalesce(json_agg(json_build_array(name, id)), '[]') from equipment) as equipment`;
  const { exercises, muscles, equipment } = row as NonNullable<typeof row>;
  return {
    exercises: new Map(exercises),
    muscles: new Map(muscles),
    equipment: new Map(equipment),
  };
}

/** The new ids of an archive's entries, by their index in each list. */
export type ArchiveIds = { exercises: string[]; routines: string[]; plans: string[] };

/**
 * Inserts own exercises with their links; the caller renders their documents. Breaks
 * `exercises_owner_name_unique`. One statement.
 */
export async function insertExercises(
  { sql }: Db,
  userId: string,
  exercises: ArchiveLists["exercises"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const knownIds = (names: string[], idByName: Map<string, number>) =>
    names.flatMap((name) => idByName.get(name) ?? []);
  const rows = exercises.map((exercise, index) => ({
    ...exercise,
    id: ids.exercises[index],
    primary: knownIds(exercise.primaryMuscles, catalog.muscles),
    secondary: knownIds(exercise.secondaryMuscles, catalog.muscles),
    equipment: knownIds(exercise.equipment, catalog.equipment),
  }));
  const links = (table: string, column: string, list: string) => sql`
    insert into ${sql(table)} (exercise_id, ${sql(column)})
    select inserted.id, linked_id::smallint
    from inserted join listed using (id), json_array_elements_text(${sql(list)}) as linked_id`;
  await sql`
    with listed as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
        id uuid, name text, category text, difficulty text, force text, mechanic text,
        instructions text, "createdAt" timestamptz, "updatedAt" timestamptz, "primary" json,
        secondary json, equipment json
      )
    ), inserted as (
      insert into exercises (id, owner_id, name, category, difficulty, force, mechanic,
        instructions, created_at, updated_at)
      select id, ${userId}::uuid, name, category, difficulty, force, mechanic, instructions,
        "createdAt", "updatedAt"
      from listed
      returning id
    ), primary_links as (${links("exercise_primary_muscles", "muscle_group_id", "primary")}),
    secondary_links as (${links("exercise_secondary_muscles", "muscle_group_id", "secondary")})
    ${links("exercise_equipment", "equipment_id", "equipment")}`;
}

/** The id of the exercise that an entry refers to; null if it is not known here. */
export function exerciseIdOf(
  reference: ArchivedReference,
  ids: ArchiveIds,
  catalog: CatalogIds,
): string | null {
  if (reference === null) return null;
  if ("own" in reference) return ids.exercises[reference.own] ?? null;
  return catalog.exercises.get(reference.system) ?? null;
}

/** Inserts routines with their exercises. Breaks `routines_owner_name_unique`. One statement. */
export async function insertRoutines(
  { sql }: Db,
  userId: string,
  routines: ArchiveLists["routines"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const rows = routines.map(({ exercises: _exercises, ...routine }, index) => ({
    ...routine,
    id: ids.routines[index],
  }));
  const exerciseRows = routines.flatMap(({ exercises }, index) =>
    exercises.map(({ exercise, ...fields }, exerciseIndex) => ({
      ...fields,
      routine: ids.routines[index],
      position: exerciseIndex + 1,
      exercise: exerciseIdOf(exercise, ids, catalog),
    })),
  );
  await sql`
    with inserted as (
      insert into routines (id, owner_id, name, description, sharing, created_at, updated_at)
      select id, ${userId}::uuid, name, description, sharing, "createdAt", "updatedAt"
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
        id uuid, name text, description text, sharing text, "createdAt" timestamptz,
        "updatedAt" timestamptz
      )
      returning id
    )
    insert into routine_exercises (routine_id, position, exercise_id, exercise_name, mode, sets,
      reps_min, reps_max, weight, weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo,
      superset_group, notes)
    select routine, position, exercise, name, mode, sets, "repsMin", "repsMax", weight,
      "weightUnit", "timeS", "distanceM", rpe, rir, "restS", tempo, "supersetGroup", notes
    from json_to_recordset(${JSON.stringify(exerciseRows)}::text::json) as entry (
      routine uuid, position smallint, exercise uuid, name text, mode text, sets smallint,
      "repsMin" smallint, "repsMax" smallint, weight numeric, "weightUnit" text, "timeS" integer,
      "distanceM" integer, rpe numeric, rir smallint, "restS" integer, tempo text,
      "supersetGroup" smallint, notes text
    )
    where routine in (select id from inserted)`;
}

/** Inserts plans with their routines. Breaks `plans_owner_name_unique`. One statement. */
export async function insertPlans(
  { sql }: Db,
  userId: string,
  plans: ArchiveLists["plans"],
  ids: ArchiveIds,
): Promise<void> {
  const rows = plans.map(({ routines: _routines, ...plan }, index) => ({
    ...plan,
    id: ids.plans[index],
  }));
  const routineRows = plans.flatMap(({ routines }, index) =>
    routines.map(({ routine, ...fields }) => ({
      ...fields,
      plan: ids.plans[index],
      routine: ids.routines[routine],
    })),
  );
  await sql`
    with inserted as (
      insert into plans (id, owner_id, name, description, difficulty, sharing, weeks, created_at,
        updated_at)
      select id, ${userId}::uuid, name, description, difficulty, sharing, weeks, "createdAt",
        "updatedAt"
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
        id uuid, name text, description text, difficulty text, sharing text, weeks smallint,
        "createdAt" timestamptz, "updatedAt" timestamptz
      )
      returning id
    )
    insert into plan_routines (plan_id, routine_id, day, position)
    select plan, routine, day, row_number() over (partition by plan, day order by position)
    from json_to_recordset(${JSON.stringify(routineRows)}::text::json) as entry (
      plan uuid, routine uuid, day smallint, position smallint
    )
    where plan in (select id from inserted)`;
}
