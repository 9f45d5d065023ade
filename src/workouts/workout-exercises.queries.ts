import type { Db } from "#db/client.ts";
import {
  type ExerciseRow,
  incrementVersion,
  insertEntries,
  newEntries,
  type SetRow,
} from "./workout-writes.queries.ts";

/**
 * The result of adding an exercise: nothing was added if `isFull` is true or `missing` is not
 * empty.
 */
export type InsertedExercise = { isFull: boolean; missing: string[] };

/**
 * Adds an exercise with its sets at the end of a locked workout, unless the workout already has
 * `max` exercises, or the user does not have the exercise and it comes without a name to store
 * instead. Violates `workout_exercises_pkey`, `workout_sets_pkey`. One statement.
 */
export async function insertWorkoutExercise(
  { sql }: Db,
  userId: string,
  workoutId: string,
  { exercise, sets, max }: { exercise: ExerciseRow; sets: SetRow[]; max: number },
): Promise<InsertedExercise> {
  const [row] = await sql<InsertedExercise[]>`
    with ${newEntries(sql, userId, [exercise], sets)}, counted as materialized (
      select count(*)::int as count from workout_exercises where workout_id = ${workoutId}
    ), target as (
      select ${workoutId}::uuid as id, count as entry_count
      from counted
      where count < ${max} and not exists (select from missing)
    ), ${insertEntries(sql, userId)},
    ${incrementVersion(sql, workoutId, sql`exists (select from target)`)}
    select count >= ${max} as "isFull", array(select exercise_id::text from missing) as missing
    from counted`;
  return row as InsertedExercise;
}

/** Whether a workout has an exercise. */
export async function hasWorkoutExercise(
  { sql }: Db,
  workoutId: string,
  workoutExerciseId: string,
): Promise<boolean> {
  const rows = await sql`
    select from workout_exercises where id = ${workoutExerciseId} and workout_id = ${workoutId}`;
  return rows.length > 0;
}

export type WorkoutExerciseChange = {
  position?: number | undefined;
  supersetGroup?: number | null | undefined;
  notes?: string | null | undefined;
};

/**
 * Changes an exercise of a locked workout, and moves it to `position`, at most the last. False if
 * the workout does not have it. One statement.
 */
export async function updateWorkoutExercise(
  { sql }: Db,
  workoutId: string,
  workoutExerciseId: string,
  { position, supersetGroup, notes }: WorkoutExerciseChange,
): Promise<boolean> {
  const { count } = await sql`
    with target as materialized (
      select position as old_position,
        least(coalesce(${position ?? null}::int, position), (
          select max(position) from workout_exercises where workout_id = ${workoutId}
        )) as new_position
      from workout_exercises
      where id = ${workoutExerciseId} and workout_id = ${workoutId}
    ), moved as (
      update workout_exercises
      set position = position + sign(old_position - new_position)::int
      from target
      where workout_id = ${workoutId} and id <> ${workoutExerciseId}
        and position
          between least(new_position, old_position) and greatest(new_position, old_position)
    ), ${incrementVersion(sql, workoutId, sql`exists (select from target)`)}
    update workout_exercises
    set position = new_position,
      superset_group = case when ${supersetGroup !== undefined}
        then ${supersetGroup ?? null}::smallint else superset_group end,
      notes = case when ${notes !== undefined} then ${notes ?? null}::text else notes end
    from target
    where id = ${workoutExerciseId}`;
  return count > 0;
}

/**
 * Deletes an exercise of a locked workout with its sets and moves the following exercises up. False
 * if the workout does not have it.
 */
export async function deleteWorkoutExercise(
  { sql }: Db,
  workoutId: string,
  workoutExerciseId: string,
): Promise<boolean> {
  const [row] = await sql<{ isDeleted: boolean }[]>`
    with deleted as (
      delete from workout_exercises
      where id = ${workoutExerciseId} and workout_id = ${workoutId}
      returning position
    ), moved as (
      update workout_exercises
      set position = workout_exercises.position - 1
      from deleted
      where workout_id = ${workoutId} and workout_exercises.position > deleted.position
    ), ${incrementVersion(sql, workoutId, sql`exists (select from deleted)`)}
    select exists (select from deleted) as "isDeleted"`;
  return row?.isDeleted ?? false;
}
