import type { Db } from "#db/client.ts";
import {
  type ExerciseRow,
  insertEntries,
  newEntries,
  type SetRow,
  type WorkoutRow,
} from "./workout-writes.queries.ts";

/** An exercise that a workout had before it was replaced. */
export type PreviousEntry = {
  id: string;
  exercise_id: string | null;
  exercise_name: string;
  targets: object | null;
};

export type ReplacedColumns = Omit<WorkoutRow, "id" | "planId" | "routineId" | "status"> & {
  status: string;
};

/**
 * Replaces the columns of a locked workout, and deletes and returns its exercises. Violates the
 * constraints that `insertWorkout` does.
 */
export async function clearWorkout(
  { sql }: Db,
  workoutId: string,
  columns: ReplacedColumns,
): Promise<PreviousEntry[]> {
  const [row] = await sql<{ entries: PreviousEntry[] }[]>`
    with deleted as (
      delete from workout_exercises
      where workout_id = ${workoutId}
      returning id, exercise_id, exercise_name, targets
    ), updated as (
      update workouts
      set name = ${columns.name}, status = ${columns.status},
        started_at = ${columns.startedAt}::timestamptz, ended_at = ${columns.endedAt}::timestamptz,
        is_length_exempt = is_length_exempt
          and started_at = ${columns.startedAt}::timestamptz
          and ended_at is not distinct from ${columns.endedAt}::timestamptz,
        time_zone = ${columns.timeZone}, body_weight_kg = ${columns.bodyWeightKg}::numeric,
        notes = ${columns.notes}, updated_at = clock_timestamp(), version = version + 1
      where id = ${workoutId}
    )
    select coalesce(json_agg(deleted), '[]') as entries from deleted`;
  return row?.entries ?? [];
}

/**
 * Inserts exercises and sets into an empty workout, or nothing if any exercises are `missing`.
 * Violates the constraints that `insertWorkout` does.
 */
export async function fillWorkout(
  { sql }: Db,
  userId: string,
  workoutId: string,
  exercises: ExerciseRow[],
  sets: SetRow[],
): Promise<{ missing: string[] }> {
  const [row] = await sql<{ missing: string[] }[]>`
    with ${newEntries(sql, userId, exercises, sets)}, target as (
      select ${workoutId}::uuid as id, 0 as entry_count where not exists (select from missing)
    ), ${insertEntries(sql, userId)}
    select array(select exercise_id::text from missing) as missing`;
  return row as { missing: string[] };
}
