import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import {
  type ExerciseRow,
  listedEntries,
  listedSets,
  type SetRow,
  setJson,
  weightKg,
  writtenEntries,
} from "./workouts.queries.ts";

/**
 * The result of adding a set: `json` is the set, null if the exercise is full or the set does not
 * fit its mode.
 */
export type Logged = { mode: string; isFull: boolean; json: string | null };

/**
 * Adds a set at the end of an exercise of a locked workout, unless the exercise has `most` already
 * or is in none of `modes`; undefined when the workout does not have that exercise. Breaks
 * `workout_sets_pkey`. One statement.
 */
export async function insertSet(
  { sql }: Db,
  workoutId: string,
  exerciseEntryId: string,
  set: SetRow,
  { modes, most }: { modes: string[]; most: number },
): Promise<Logged | undefined> {
  const [logged] = await sql<Logged[]>`
    with ${listedSets(sql, [set])}, entry as materialized (
      select id, mode, coalesce(
        (select max(position) from workout_sets where workout_exercise_id = workout_exercises.id), 0) as count
      from workout_exercises where id = ${exerciseEntryId} and workout_id = ${workoutId}
    ), made as (
      insert into workout_sets (id, workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
        distance_m, rpe, rir, rest_s, completed_at, note)
      select coalesce(listed_sets.id, uuidv7()), entry.id, entry.mode, entry.count + 1, type, weight, weight_unit,
        ${weightKg(sql)}, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note
      from entry cross join listed_sets where entry.count < ${most} and entry.mode = any (${modes})
      returning ${setJson(sql)} as json
    ), ${touched(sql, workoutId, sql`exists (select from made)`)}
    select mode, count >= ${most} as "isFull", (select json from made) as json from entry`;
  return logged;
}

/**
 * A set of a locked workout as JSON, with the mode of its exercise; undefined when the workout does
 * not have it.
 */
export async function findSet(
  { sql }: Db,
  workoutId: string,
  setId: string,
): Promise<{ mode: string; json: string } | undefined> {
  const [found] = await sql<{ mode: string; json: string }[]>`
    select mode, ${setJson(sql)} as json from workout_sets
    where id = ${setId} and workout_exercise_id in (select id from workout_exercises where workout_id = ${workoutId})`;
  return found;
}

/**
 * Replaces a set of a locked workout, and moves it to `position` among its exercise's, at most the
 * last, or leaves it where it is; returns it as JSON. One statement.
 */
export async function replaceSet(
  { sql }: Db,
  workoutId: string,
  setId: string,
  set: SetRow,
  position: number | null,
): Promise<string> {
  const kg = sql`(select ${weightKg(sql)} from (select ${set.weight}::numeric as weight, ${set.weight_unit}::text as weight_unit) as given)`;
  const [row] = await sql<{ json: string }[]>`
    with target as materialized (
      select workout_exercise_id, position as was_at, least(coalesce(${position}::int, position), (
        select max(position) from workout_sets as others
        where others.workout_exercise_id = workout_sets.workout_exercise_id)) as goes_to
      from workout_sets where id = ${setId}
    ), moved as (
      update workout_sets set position = position + sign(was_at - goes_to)::int from target
      where workout_sets.workout_exercise_id = target.workout_exercise_id and id <> ${setId}
        and position between least(goes_to, was_at) and greatest(goes_to, was_at)
    ), ${touched(sql, workoutId)}
    update workout_sets set position = (select goes_to from target), type = ${set.type}, weight = ${set.weight}::numeric,
      weight_unit = ${set.weight_unit}, weight_kg = ${kg}, reps = ${set.reps}::smallint, time_s = ${set.time_s}::integer,
      distance_m = ${set.distance_m}::integer, rpe = ${set.rpe}::numeric, rir = ${set.rir}::smallint,
      rest_s = ${set.rest_s}::integer, completed_at = ${set.completed_at}::timestamptz, note = ${set.note}
    where id = ${setId} returning ${setJson(sql)} as json`;
  return (row as { json: string }).json;
}

/**
 * Removes a set of a locked workout; those after it move up. False when the workout does not have
 * it. One statement.
 */
export async function deleteSet({ sql }: Db, workoutId: string, setId: string): Promise<boolean> {
  const [row] = await sql<{ isGone: boolean }[]>`
    with gone as (
      delete from workout_sets
      where id = ${setId} and workout_exercise_id in (select id from workout_exercises where workout_id = ${workoutId})
      returning workout_exercise_id, position
    ), moved as (
      update workout_sets set position = workout_sets.position - 1 from gone
      where workout_sets.workout_exercise_id = gone.workout_exercise_id and workout_sets.position > gone.position
    ), ${touched(sql, workoutId, sql`exists (select from gone)`)}
    select exists (select from gone) as "isGone"`;
  return row?.isGone ?? false;
}

/**
 * The result of adding an exercise: it was added unless `isFull` is true or `missing` has an id.
 */
export type AddedEntry = { isFull: boolean; missing: string[] };

/**
 * Adds an exercise with its sets at the end of a locked workout, unless that has `most` already, or
 * the user does not have the exercise and it has no name to keep. Breaks `workout_exercises_pkey`,
 * `workout_sets_pkey`. One statement.
 */
export async function insertEntry(
  { sql }: Db,
  userId: string,
  workoutId: string,
  { entry, sets, most }: { entry: ExerciseRow; sets: SetRow[]; most: number },
): Promise<AddedEntry> {
  const [row] = await sql<AddedEntry[]>`
    with ${listedEntries(sql, userId, [entry], sets)}, counted as materialized (
      select count(*)::int as count from workout_exercises where workout_id = ${workoutId}
    ), made as (
      select ${workoutId}::uuid as id, count as after from counted where count < ${most} and not exists (select from missing)
    ), ${writtenEntries(sql, userId)}, ${touched(sql, workoutId, sql`exists (select from made)`)}
    select count >= ${most} as "isFull", array(select exercise_id::text from missing) as missing from counted`;
  return row as AddedEntry;
}

/** Whether a workout has an exercise. */
export async function hasEntry({ sql }: Db, workoutId: string, entryId: string): Promise<boolean> {
  const rows =
    await sql`select from workout_exercises where id = ${entryId} and workout_id = ${workoutId}`;
  return rows.length > 0;
}

export type EntryChange = {
  position?: number | undefined;
  supersetGroup?: number | null | undefined;
  notes?: string | null | undefined;
};

/**
 * Changes an exercise of a locked workout, and moves it to its new place, at most the last. False
 * when the workout does not have it. One statement.
 */
export async function updateExerciseEntry(
  { sql }: Db,
  workoutId: string,
  entryId: string,
  { position, supersetGroup, notes }: EntryChange,
): Promise<boolean> {
  const changed = await sql`
    with target as materialized (
      select position as was_at, least(coalesce(${position ?? null}::int, position), (
        select max(position) from workout_exercises where workout_id = ${workoutId})) as goes_to
      from workout_exercises where id = ${entryId} and workout_id = ${workoutId}
    ), moved as (
      update workout_exercises set position = position + sign(was_at - goes_to)::int from target
      where workout_id = ${workoutId} and id <> ${entryId}
        and position between least(goes_to, was_at) and greatest(goes_to, was_at)
    ), ${touched(sql, workoutId, sql`exists (select from target)`)}
    update workout_exercises set position = goes_to,
      superset_group = case when ${supersetGroup !== undefined} then ${supersetGroup ?? null}::smallint else superset_group end,
      notes = case when ${notes !== undefined} then ${notes ?? null}::text else notes end
    from target where id = ${entryId}`;
  return changed.count > 0;
}

/**
 * Removes an exercise of a locked workout with its sets; those after it move up. False when the
 * workout does not have it.
 */
export async function deleteExerciseEntry(
  { sql }: Db,
  workoutId: string,
  entryId: string,
): Promise<boolean> {
  const [row] = await sql<{ isGone: boolean }[]>`
    with gone as (
      delete from workout_exercises where id = ${entryId} and workout_id = ${workoutId} returning position
    ), moved as (
      update workout_exercises set position = workout_exercises.position - 1 from gone
      where workout_id = ${workoutId} and workout_exercises.position > gone.position
    ), ${touched(sql, workoutId, sql`exists (select from gone)`)}
    select exists (select from gone) as "isGone"`;
  return row?.isGone ?? false;
}

/**
 * Raises the version of a workout, as every change of anything in it does, where `condition` holds.
 */
const touched = (
  sql: Db["sql"],
  workoutId: string,
  condition = sql`true`,
): Fragment => sql`touched as (
  update workouts set updated_at = clock_timestamp(), version = version + 1 where id = ${workoutId} and ${condition}
)`;
