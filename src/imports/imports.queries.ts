import type { Db } from "#db/client.ts";
import { weightKg } from "../workouts/workouts.queries.ts";
import type { Format } from "./formats.rules.ts";

/** A workout of a file as the statement takes it; `id` is made beforehand, `key` is hexadecimal. */
export type ImportedWorkoutRow = {
  id: string;
  key: string;
  name: string | null;
  started_at: string;
  ended_at: string;
  notes: string | null;
};
export type ImportedExerciseRow = {
  id: string;
  workout_id: string;
  position: number;
  exercise_id: string | null;
  exercise_name: string;
  /** The exercise's name as it stands in the file. */
  file_name: string;
  mode: string;
  superset_group: number | null;
  notes: string | null;
};
export type ImportedSetRow = {
  workout_exercise_id: string;
  mode: string;
  position: number;
  type: string;
  weight: number | null;
  weight_unit: string | null;
  reps: number | null;
  time_s: number | null;
  distance_m: number | null;
  rpe: number | null;
  note: string | null;
};
export type ImportedRows = {
  workouts: ImportedWorkoutRow[];
  exercises: ImportedExerciseRow[];
  sets: ImportedSetRow[];
};

export async function insertImport({ sql }: Db, userId: string, format: Format): Promise<string> {
  const [made] = await sql<{ id: string }[]>`
    insert into imports (user_id, format, workout_count, set_count) values (${userId}, ${format}, 0, 0) returning id`;
  return (made as { id: string }).id;
}

/** Says what came of an import; one of which nothing came is forgotten. */
export async function closeImport(
  { sql }: Db,
  importId: string,
  { workouts, sets }: { workouts: number; sets: number },
): Promise<void> {
  await (workouts === 0
    ? sql`delete from imports where id = ${importId}`
    : sql`update imports set workout_count = ${workouts}, set_count = ${sets} where id = ${importId}`);
}

/** A known workout whose content in the file is another; `isChanged` when it was changed here since it was read in. */
export type Differing = { givenId: string; workoutId: string; isChanged: boolean };
export type Inserted = { workouts: number; sets: number; differing: Differing[] };

const exerciseRows = (sql: Db["sql"], { exercises }: ImportedRows) => sql`
  json_to_recordset(${JSON.stringify(exercises)}::text::json) as entry (id uuid, workout_id uuid, position smallint,
    exercise_id uuid, exercise_name text, file_name text, mode text, superset_group smallint, notes text)`;
const setRows = (sql: Db["sql"], { sets }: ImportedRows) => sql`
  json_to_recordset(${JSON.stringify(sets)}::text::json) as entry (workout_exercise_id uuid, mode text, position smallint,
    type text, weight numeric, weight_unit text, reps smallint, time_s integer, distance_m integer, rpe numeric, note text)`;

/**
 * Inserts workouts that are over, but for those whose key `userId` has already, and returns which of these have other
 * exercises, sets or notes now, or another length, by the clock on the wall and in fact; those in the trash are left out.
 * One statement, however many.
 */
export async function insertImported(
  { sql }: Db,
  { userId, importId, timeZone }: { userId: string; importId: string; timeZone: string },
  rows: ImportedRows,
): Promise<Inserted> {
  const [counts] = await sql<Inserted[]>`
    with given as materialized (
      select * from json_to_recordset(${JSON.stringify(rows.workouts)}::text::json) as entry (id uuid, key text, name text,
        started_at timestamptz, ended_at timestamptz, notes text)
    ), given_exercises as materialized (
      select * from ${exerciseRows(sql, rows)}
    ), given_sets as materialized (
      select * from ${setRows(sql, rows)}
    ), known as materialized (
      select given.id as given_id, workouts.id, given.notes is distinct from workouts.notes
        or given.ended_at > given.started_at and given.ended_at - given.started_at <> workouts.ended_at - workouts.started_at
          and (given.ended_at at time zone ${timeZone}) - (given.started_at at time zone ${timeZone})
            <> (workouts.ended_at at time zone time_zone) - (workouts.started_at at time zone time_zone) as is_other,
        import_id is null or version <> coalesce(import_version, 1) as is_changed
      from given join workouts on user_id = ${userId} and import_key = decode(key, 'hex') where deleted_at is null
    ), made as (
      insert into workouts (id, user_id, import_id, import_key, import_version, name, status, started_at, ended_at, time_zone,
        notes)
      select id, ${userId}::uuid, ${importId}::uuid, decode(key, 'hex'), 1, name, 'completed', started_at, ended_at,
        ${timeZone}, notes
      from given
      on conflict (user_id, import_key) where import_key is not null do nothing returning id
    ), made_exercises as (
      insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes)
      select id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes from given_exercises
      where workout_id in (select id from made) returning id
    ), made_sets as (
      insert into workout_sets (workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
        distance_m, rpe, note)
      select workout_exercise_id, mode, position, type, weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, note
      from given_sets where workout_exercise_id in (select id from made_exercises) returning 1
    ), in_file as (
      select given_id, exercise.position as place, coalesce(entry.position, 0) as n, exercise_id, exercise_name, file_name,
        row(exercise.mode, superset_group, notes, type, weight, weight_unit, reps, time_s, distance_m, rpe, note) as content
      from known join given_exercises as exercise on workout_id = given_id
      left join given_sets as entry on workout_exercise_id = exercise.id
    ), stored as (
      select given_id, exercise.position as place, coalesce(entry.position, 0) as n, exercise_id, exercise_name,
        row(exercise.mode, superset_group, notes, type, weight, weight_unit, reps, time_s, distance_m, rpe, note) as content
      from known join workout_exercises as exercise on workout_id = known.id
      left join workout_sets as entry on workout_exercise_id = exercise.id
    ), differing as (
      select given_id from known where is_other
      union
      select given_id from in_file full join stored using (given_id, place, n)
      where in_file.content is distinct from stored.content or not coalesce(in_file.exercise_id = stored.exercise_id
        or stored.exercise_name in (in_file.exercise_name, file_name), stored.exercise_name in (in_file.exercise_name, file_name))
    )
    select (select count(*) from made)::int as workouts, (select count(*) from made_sets)::int as sets, (
      select coalesce(json_agg(json_build_object('givenId', given_id, 'workoutId', id, 'isChanged', is_changed)), '[]')
      from known join differing using (given_id)) as differing`;
  return counts as Inserted;
}

/**
 * Gives known workouts of `userId` the exercises, sets, notes and length (if it has one) that the file has, under new ids, and returns the ids
 * of the workouts; unless `isForced`, those that were changed here meanwhile stay. Their start, name and whatever else they
 * have stays. Two statements.
 */
export async function replaceImported(
  { sql }: Db,
  userId: string,
  wanted: Differing[],
  rows: ImportedRows,
  isForced: boolean,
): Promise<string[]> {
  const workoutIds = new Map(wanted.map(({ givenId, workoutId }) => [givenId, workoutId]));
  const given = rows.workouts.flatMap(({ id, started_at, ended_at, notes }) =>
    workoutIds.has(id) ? [{ id: workoutIds.get(id), started_at, ended_at, notes }] : [],
  );
  const changed = await sql<{ id: string }[]>`
    with changed as (
      update workouts set notes = given.notes,
        ended_at = case when given.ended_at = given.started_at then workouts.ended_at
          else workouts.started_at + (given.ended_at - given.started_at) end,
        is_length_exempt = false, version = version + 1, import_version = version + 1, updated_at = clock_timestamp()
      from json_to_recordset(${JSON.stringify(given)}::text::json)
        as given (id uuid, started_at timestamptz, ended_at timestamptz, notes text)
      where workouts.id = given.id and user_id = ${userId} and deleted_at is null
        and (${isForced} or version = coalesce(import_version, 1)) returning workouts.id
    ), gone as (
      delete from workout_exercises where workout_id in (select id from changed)
    )
    select id from changed`;
  const changedIds = new Set(changed.map(({ id }) => id));
  const exercises = rows.exercises.flatMap((exercise) => {
    const workoutId = workoutIds.get(exercise.workout_id);
    return workoutId !== undefined && changedIds.has(workoutId) ? [{ ...exercise, workout_id: workoutId }] : [];
  });
  const exerciseIds = new Set(exercises.map(({ id }) => id));
  const sets = rows.sets.filter((set) => exerciseIds.has(set.workout_exercise_id));
  await sql`
    with made as (
      insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes)
      select id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes
      from ${exerciseRows(sql, { ...rows, exercises })} returning id
    )
    insert into workout_sets (workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
      distance_m, rpe, note)
    select workout_exercise_id, mode, position, type, weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, note
    from ${setRows(sql, { ...rows, sets })} where workout_exercise_id in (select id from made)`;
  return [...changedIds];
}

/** Imports of `userId`, the latest first, at most 1,000, as a JSON array. */
export async function listImportsJson({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(shown)::text, ','), '') || ']' as json from (
      select id, format, workout_count as "workoutCount", set_count as "setCount",
        to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
        to_char(undone_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "undoneAt"
      from imports where user_id = ${userId} order by id desc limit 1000
    ) as shown`;
  return row?.json ?? "[]";
}

/**
 * Puts the workouts of an import of `userId` into the trash, where nothing keeps the file from being read again; those
 * that were changed since stay. Undefined when there is no such import, or it was taken back before. One statement.
 */
export async function undoImport(
  { sql }: Db,
  userId: string,
  importId: string,
): Promise<{ trashed: number; kept: number } | undefined> {
  const [counts] = await sql<{ isFound: boolean; trashed: number; kept: number }[]>`
    with undone as (
      update imports set undone_at = now() where id = ${importId} and user_id = ${userId} and undone_at is null returning id
    ), trashed as (
      update workouts set deleted_at = clock_timestamp(), import_key = null, updated_at = clock_timestamp(), version = version + 1
      where import_id in (select id from undone) and version = coalesce(import_version, 1) and deleted_at is null returning 1
    )
    select exists (select from undone) as "isFound", (select count(*) from trashed)::int as trashed,
      (select count(*) from workouts
       where import_id in (select id from undone) and version <> coalesce(import_version, 1) and deleted_at is null)::int as kept`;
  return counts?.isFound ? { trashed: counts.trashed, kept: counts.kept } : undefined;
}
