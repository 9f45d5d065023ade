import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { incrementVersion, newSets, type SetRow, weightKg } from "./workout-writes.queries.ts";
import { setJson } from "./workouts.queries.ts";

/**
 * The result of adding a set: `json` is the set, null if the exercise is full or the set does not
 * fit its mode.
 */
export type InsertedSet = { mode: string; isFull: boolean; json: string | null };

/**
 * Adds a set at the end of an exercise of a locked workout, unless the exercise already has `max`
 * sets or its mode is not among `modes`; undefined if the workout does not have the exercise.
 * Violates `workout_sets_pkey`. One statement.
 */
export async function insertSet(
  { sql }: Db,
  workoutId: string,
  workoutExerciseId: string,
  set: SetRow,
  { modes, max }: { modes: string[]; max: number },
): Promise<InsertedSet | undefined> {
  const [result] = await sql<InsertedSet[]>`
    with ${newSets(sql, [set])}, entry as materialized (
      select id, mode,
        coalesce(
          (select max(position) from workout_sets where workout_exercise_id = workout_exercises.id),
          0) as count
      from workout_exercises
      where id = ${workoutExerciseId} and workout_id = ${workoutId}
    ), inserted as (
      insert into workout_sets (id, workout_exercise_id, mode, position, type, weight, weight_unit,
        weight_kg, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note)
      select coalesce(new_sets.id, uuidv7()), entry.id, entry.mode, entry.count + 1, type, weight,
        weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, rir, rest_s, completed_at,
        note
      from entry
      cross join new_sets
      where entry.count < ${max} and entry.mode = any (${modes})
      returning ${setJson(sql)} as json
    ), ${incrementVersion(sql, workoutId, sql`exists (select from inserted)`)}
    select mode, count >= ${max} as "isFull", (select json from inserted) as json from entry`;
  return result;
}

/**
 * A set of a locked workout as JSON, and the mode of its exercise; undefined if the workout does
 * not have it.
 */
export async function findSet(
  { sql }: Db,
  workoutId: string,
  setId: string,
): Promise<{ mode: string; json: string } | undefined> {
  const [set] = await sql<{ mode: string; json: string }[]>`
    select mode, ${setJson(sql)} as json
    from workout_sets
    where id = ${setId} and ${isInWorkout(sql, workoutId)}`;
  return set;
}

/**
 * Replaces a set of a locked workout and returns it as JSON. Moves it to `position` within its
 * exercise, at most the last, or leaves it in place if that is null. One statement.
 */
export async function replaceSet(
  { sql }: Db,
  workoutId: string,
  setId: string,
  set: SetRow,
  position: number | null,
): Promise<string> {
  const kg = sql`(
    select ${weightKg(sql)}
    from (
      select ${set.weight}::numeric as weight, ${set.weight_unit}::text as weight_unit
    ) as entered
  )`;
  const [row] = await sql<{ json: string }[]>`
    with target as materialized (
      select workout_exercise_id, position as old_position,
        least(coalesce(${position}::int, position), (
          select max(position)
          from workout_sets as others
          where others.workout_exercise_id = workout_sets.workout_exercise_id
        )) as new_position
      from workout_sets
      where id = ${setId}
    ), moved as (
      update workout_sets
      set position = position + sign(old_position - new_position)::int
      from target
      where workout_sets.workout_exercise_id = target.workout_exercise_id and id <> ${setId}
        and position
          between least(new_position, old_position) and greatest(new_position, old_position)
    ), ${incrementVersion(sql, workoutId)}
    update workout_sets
    set position = (select new_position from target), type = ${set.type},
      weight = ${set.weight}::numeric, weight_unit = ${set.weight_unit}, weight_kg = ${kg},
      reps = ${set.reps}::smallint, time_s = ${set.time_s}::integer,
      distance_m = ${set.distance_m}::integer, rpe = ${set.rpe}::numeric,
      rir = ${set.rir}::smallint, rest_s = ${set.rest_s}::integer,
      completed_at = ${set.completed_at}::timestamptz, note = ${set.note}
    where id = ${setId}
    returning ${setJson(sql)} as json`;
  return (row as { json: string }).json;
}

/**
 * Deletes a set of a locked workout and moves the following sets up. False if the workout does not
 * have it. One statement.
 */
export async function deleteSet({ sql }: Db, workoutId: string, setId: string): Promise<boolean> {
  const [row] = await sql<{ isDeleted: boolean }[]>`
    with deleted as (
      delete from workout_sets
      where id = ${setId} and ${isInWorkout(sql, workoutId)}
      returning workout_exercise_id, position
    ), moved as (
      update workout_sets
      set position = workout_sets.position - 1
      from deleted
      where workout_sets.workout_exercise_id = deleted.workout_exercise_id
        and workout_sets.position > deleted.position
    ), ${incrementVersion(sql, workoutId, sql`exists (select from deleted)`)}
    select exists (select from deleted) as "isDeleted"`;
  return row?.isDeleted ?? false;
}

/** Whether the row of `workout_sets` belongs to the workout. */
const isInWorkout = (sql: Db["sql"], workoutId: string): Fragment => sql`
  workout_exercise_id in (select id from workout_exercises where workout_id = ${workoutId})`;
