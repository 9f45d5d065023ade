import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { weightKg } from "../workouts/workouts.queries.ts";
import type { ArchivedReference, ArchiveLists } from "./archive.schemas.ts";

/**
 * Locks an account until the transaction ends; whether it has nothing, not even in the trash. One
 * statement.
 */
export async function lockEmptyAccount({ sql }: Db, userId: string): Promise<boolean> {
  await sql`select from users where id = ${userId} for no key update`;
  const [found] = await sql<{ isEmpty: boolean }[]>`
    select not (exists (select from exercises where owner_id = ${userId}) or exists (select from routines where owner_id = ${userId})
      or exists (select from plans where owner_id = ${userId}) or exists (select from workouts where user_id = ${userId})) as "isEmpty"`;
  return found?.isEmpty ?? false;
}

/**
 * The catalog's exercises of the given slugs, and its muscles and equipment of the given names, by
 * their ids.
 */
export type CatalogIds = {
  exercises: Map<string, string>;
  muscles: Map<string, number>;
  equipment: Map<string, number>;
};

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

/** Ids of the things of an archive, by their places. */
export type ArchiveIds = { exercises: string[]; routines: string[]; plans: string[] };

/**
 * Inserts own exercises with their links; they have to be rendered yet. Breaks
 * `exercises_owner_name_unique`.
 */
export async function insertExercises(
  { sql }: Db,
  userId: string,
  exercises: ArchiveLists["exercises"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const known = (names: string[], in_: Map<string, number>) =>
    names.flatMap((name) => (in_.has(name) ? [in_.get(name) as number] : []));
  const rows = exercises.map((exercise, at) => ({
    ...exercise,
    id: ids.exercises[at],
    primary: known(exercise.primaryMuscles, catalog.muscles),
    secondary: known(exercise.secondaryMuscles, catalog.muscles),
    kit: known(exercise.equipment, catalog.equipment),
  }));
  const links = (table: string, column: string, of: string) => sql`
    insert into ${sql(table)} (exercise_id, ${sql(column)}) select made.id, entry_id::smallint from made join listed using (id),
      json_array_elements_text(${sql(of)}) as entry_id`;
  await sql`
    with listed as (
      select * from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (id uuid, name text, category text,
        difficulty text, force text, mechanic text, instructions text, "createdAt" timestamptz, "updatedAt" timestamptz,
        "primary" json, secondary json, kit json)
    ), made as (
      insert into exercises (id, owner_id, name, category, difficulty, force, mechanic, instructions, created_at, updated_at)
      select id, ${userId}::uuid, name, category, difficulty, force, mechanic, instructions, "createdAt", "updatedAt"
      from listed returning id
    ), primary_links as (${links("exercise_primary_muscles", "muscle_group_id", "primary")}),
    secondary_links as (${links("exercise_secondary_muscles", "muscle_group_id", "secondary")})
    ${links("exercise_equipment", "equipment_id", "kit")}`;
}

const exerciseId = (
  reference: ArchivedReference,
  ids: ArchiveIds,
  catalog: CatalogIds,
): string | null => {
  if (reference === null) return null;
  if ("own" in reference) return ids.exercises[reference.own] ?? null;
  return catalog.exercises.get(reference.system) ?? null;
};

/** Inserts routines with their exercises. Breaks `routines_owner_name_unique`. One statement. */
export async function insertRoutines(
  { sql }: Db,
  userId: string,
  routines: ArchiveLists["routines"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const rows = routines.map(({ exercises: _exercises, ...routine }, at) => ({
    ...routine,
    id: ids.routines[at],
  }));
  const entries = routines.flatMap(({ exercises }, at) =>
    exercises.map(({ exercise, ...entry }, n) => ({
      ...entry,
      routine: ids.routines[at],
      position: n + 1,
      exercise: exerciseId(exercise, ids, catalog),
    })),
  );
  await sql`
    with made as (
      insert into routines (id, owner_id, name, description, sharing, created_at, updated_at)
      select id, ${userId}::uuid, name, description, sharing, "createdAt", "updatedAt"
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (id uuid, name text, description text, sharing text,
        "createdAt" timestamptz, "updatedAt" timestamptz) returning id
    )
    insert into routine_exercises (routine_id, position, exercise_id, exercise_name, mode, sets, reps_min, reps_max, weight,
      weight_unit, time_s, distance_m, rpe, rir, rest_s, tempo, superset_group, notes)
    select routine, position, exercise, name, mode, sets, "repsMin", "repsMax", weight, "weightUnit", "timeS", "distanceM", rpe,
      rir, "restS", tempo, "supersetGroup", notes
    from json_to_recordset(${JSON.stringify(entries)}::text::json) as entry (routine uuid, position smallint, exercise uuid,
      name text, mode text, sets smallint, "repsMin" smallint, "repsMax" smallint, weight numeric, "weightUnit" text,
      "timeS" integer, "distanceM" integer, rpe numeric, rir smallint, "restS" integer, tempo text, "supersetGroup" smallint,
      notes text)
    where routine in (select id from made)`;
}

/** Inserts plans with their routines. Breaks `plans_owner_name_unique`. One statement. */
export async function insertPlans(
  { sql }: Db,
  userId: string,
  plans: ArchiveLists["plans"],
  ids: ArchiveIds,
): Promise<void> {
  const rows = plans.map(({ routines: _routines, ...plan }, at) => ({
    ...plan,
    id: ids.plans[at],
  }));
  const entries = plans.flatMap(({ routines }, at) =>
    routines.map((entry) => ({
      ...entry,
      plan: ids.plans[at],
      routine: ids.routines[entry.routine],
    })),
  );
  await sql`
    with made as (
      insert into plans (id, owner_id, name, description, difficulty, sharing, weeks, created_at, updated_at)
      select id, ${userId}::uuid, name, description, difficulty, sharing, weeks, "createdAt", "updatedAt"
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (id uuid, name text, description text, difficulty text,
        sharing text, weeks smallint, "createdAt" timestamptz, "updatedAt" timestamptz) returning id
    )
    insert into plan_routines (plan_id, routine_id, day, position)
    select plan, routine, day, row_number() over (partition by plan, day order by position) from json_to_recordset(${JSON.stringify(entries)}::text::json) as entry (plan uuid,
      routine uuid, day smallint, position smallint)
    where plan in (select id from made)`;
}

/**
 * Inserts workouts with their exercises and sets; they may be longer than seven days, as archives
 * made before that was the limit have them. Breaks what writing a workout does. One statement.
 */
export async function insertWorkouts(
  { sql }: Db,
  userId: string,
  workouts: ArchiveLists["workouts"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const rows = workouts.map(({ exercises, plan, routine, ...workout }) => ({
    ...workout,
    id: Bun.randomUUIDv7(),
    plan: plan === null ? null : ids.plans[plan],
    routine: routine === null ? null : ids.routines[routine],
    entries: exercises.map((entry) => ({ ...entry, id: Bun.randomUUIDv7() })),
  }));
  const entries = rows.flatMap(({ id, entries: own }) =>
    own.map(({ sets: _sets, exercise, ...entry }, n) => ({
      ...entry,
      workout: id,
      position: n + 1,
      exercise: exerciseId(exercise, ids, catalog),
    })),
  );
  const sets = rows.flatMap(({ entries: own }) =>
    own.flatMap(({ id, mode, sets: done }) =>
      done.map((set, n) => ({ ...set, entry: id, mode, position: n + 1 })),
    ),
  );
  await sql`
    with made as (
      insert into workouts (id, user_id, name, status, started_at, ended_at, time_zone, body_weight_kg, notes, plan_id, plan_name,
        routine_id, routine_name, import_key, deleted_at, created_at, updated_at, is_length_exempt)
      select id, ${userId}::uuid, name, status, "startedAt", "endedAt", "timeZone", "bodyWeightKg", notes, plan, "planName",
        routine, "routineName", decode("importKey", 'hex'), "deletedAt", "createdAt", "updatedAt",
        coalesce("endedAt" - "startedAt" > interval '7 days', false)
      from json_to_recordset(${withoutEntries(rows)}::text::json) as entry (id uuid, name text, status text,
        "startedAt" timestamptz, "endedAt" timestamptz, "timeZone" text, "bodyWeightKg" numeric, notes text, plan uuid,
        "planName" text, routine uuid, "routineName" text, "importKey" text, "deletedAt" timestamptz, "createdAt" timestamptz,
        "updatedAt" timestamptz) returning id
    ), made_entries as (
      insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode, targets, superset_group, notes)
      select id, workout, position, exercise, name, mode, targets, "supersetGroup", notes
      from json_to_recordset(${JSON.stringify(entries)}::text::json) as entry (id uuid, workout uuid, position smallint,
        exercise uuid, name text, mode text, targets jsonb, "supersetGroup" smallint, notes text)
      where workout in (select id from made) returning id
    )
    insert into workout_sets (workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
      distance_m, rpe, rir, rest_s, completed_at, note)
    select entry, mode, position, type, weight, weight_unit, ${weightKg(sql)}, reps, "timeS", "distanceM", rpe, rir, "restS",
      "completedAt", note
    from ${renamedSets(sql, sets)}
    where entry in (select id from made_entries)`;
}

const withoutEntries = (rows: { entries: unknown }[]): string =>
  JSON.stringify(rows, (key, value) => (key === "entries" ? undefined : value));

/** Sets as rows; the unit by the name that `weightKg` knows it by. */
const renamedSets = (sql: Db["sql"], sets: object[]): Fragment => sql`(
  select *, "weightUnit" as weight_unit from json_to_recordset(${JSON.stringify(sets)}::text::json) as one (entry uuid,
    mode text, position smallint, type text, weight numeric, "weightUnit" text, reps smallint, "timeS" integer,
    "distanceM" integer, rpe numeric, rir smallint, "restS" integer, "completedAt" timestamptz, note text)
) as listed`;
