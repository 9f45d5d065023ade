import type { Db } from "#db/client.ts";
import {
  type ExerciseRow,
  listedEntries,
  type SetRow,
  type WorkoutRow,
  writtenEntries,
} from "./workouts.queries.ts";

/**
 * What a replaced workout keeps of an exercise: the name that it had, and the targets as they were.
 */
export type KeptEntry = {
  id: string;
  exercise_id: string | null;
  exercise_name: string;
  targets: object | null;
};

export type ReplacedColumns = Omit<WorkoutRow, "id" | "planId" | "routineId" | "status"> & {
  status: string;
};

/**
 * Writes a locked workout's columns anew and takes out its exercises, which are returned. Breaks as
 * inserting does.
 */
export async function emptyWorkout(
  { sql }: Db,
  workoutId: string,
  columns: ReplacedColumns,
): Promise<KeptEntry[]> {
  const [row] = await sql<{ kept: KeptEntry[] }[]>`
    with gone as (
      delete from workout_exercises where workout_id = ${workoutId} returning id, exercise_id, exercise_name, targets
    ), changed as (
      update workouts set name = ${columns.name}, status = ${columns.status}, started_at = ${columns.startedAt}::timestamptz,
        ended_at = ${columns.endedAt}::timestamptz,
        is_length_exempt = is_length_exempt and started_at = ${columns.startedAt}::timestamptz
          and ended_at is not distinct from ${columns.endedAt}::timestamptz,
        time_zone = ${columns.timeZone},
        body_weight_kg = ${columns.bodyWeightKg}::numeric, notes = ${columns.notes}, updated_at = clock_timestamp(),
        version = version + 1
      where id = ${workoutId}
    )
    select coalesce(json_agg(gone), '[]') as kept from gone`;
  return row?.kept ?? [];
}

/**
 * Writes exercises and sets into an empty workout, unless some exercises are missing. Breaks as
 * inserting does.
 */
export async function fillWorkout(
  { sql }: Db,
  userId: string,
  workoutId: string,
  exercises: ExerciseRow[],
  sets: SetRow[],
): Promise<{ missing: string[] }> {
  const [row] = await sql<{ missing: string[] }[]>`
    with ${listedEntries(sql, userId, exercises, sets)}, made as (
      select ${workoutId}::uuid as id, 0 as after where not exists (select from missing)
    ), ${writtenEntries(sql, userId)}
    select array(select exercise_id::text from missing) as missing`;
  return row as { missing: string[] };
}
