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

/** Inserts workouts that are over, but for those whose key `userId` has already. One statement, however many. */
export async function insertImported(
  { sql }: Db,
  { userId, importId, timeZone }: { userId: string; importId: string; timeZone: string },
  rows: ImportedRows,
): Promise<{ workouts: number; sets: number }> {
  const [counts] = await sql<{ workouts: number; sets: number }[]>`
    with made as (
      insert into workouts (id, user_id, import_id, import_key, name, status, started_at, ended_at, time_zone, notes)
      select id, ${userId}::uuid, ${importId}::uuid, decode(key, 'hex'), name, 'completed', started_at, ended_at, ${timeZone}, notes
      from json_to_recordset(${JSON.stringify(rows.workouts)}::text::json) as entry (id uuid, key text, name text,
        started_at timestamptz, ended_at timestamptz, notes text)
      on conflict (user_id, import_key) where import_key is not null do nothing returning id
    ), made_exercises as (
      insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes)
      select entry.id, workout_id, position, exercise_id, exercise_name, mode, superset_group, notes
      from json_to_recordset(${JSON.stringify(rows.exercises)}::text::json) as entry (id uuid, workout_id uuid,
        position smallint, exercise_id uuid, exercise_name text, mode text, superset_group smallint, notes text)
      where workout_id in (select id from made) returning id
    ), made_sets as (
      insert into workout_sets (workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
        distance_m, rpe, note)
      select workout_exercise_id, mode, position, type, weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, note
      from json_to_recordset(${JSON.stringify(rows.sets)}::text::json) as entry (workout_exercise_id uuid, mode text,
        position smallint, type text, weight numeric, weight_unit text, reps smallint, time_s integer, distance_m integer,
        rpe numeric, note text)
      where workout_exercise_id in (select id from made_exercises) returning 1
    )
    select (select count(*) from made)::int as workouts, (select count(*) from made_sets)::int as sets`;
  return counts as { workouts: number; sets: number };
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
      where import_id in (select id from undone) and version = 1 and deleted_at is null returning 1
    )
    select exists (select from undone) as "isFound", (select count(*) from trashed)::int as trashed,
      (select count(*) from workouts
       where import_id in (select id from undone) and version > 1 and deleted_at is null)::int as kept`;
  return counts?.isFound ? { trashed: counts.trashed, kept: counts.kept } : undefined;
}
