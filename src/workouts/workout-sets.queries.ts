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

/** An exercise of a workout that is locked until the transaction ends. */
export type LockedExercise = {
  status: string;
  version: number;
  /** Null when the workout does not have that exercise. */
  exerciseEntryId: string | null;
  mode: string;
  position: number;
  /** How many exercises the workout has, or how many sets the exercise has. */
  count: number;
};

/** Locks a workout of `userId` that is not in the trash, and looks at one of its exercises; undefined for anyone else's. */
export async function lockForExercise(
  { sql }: Db,
  userId: string,
  workoutId: string,
  exerciseEntryId: string | null,
): Promise<LockedExercise | undefined> {
  const [locked] = await sql<LockedExercise[]>`
    with workout as (
      select id, status, version from workouts
      where id = ${workoutId} and user_id = ${userId} and deleted_at is null for no key update
    )
    select status, version, entry.id as "exerciseEntryId", coalesce(mode, '') as mode, coalesce(position, 0) as position,
      (select count(*) from workout_exercises where workout_id = workout.id)::int as count
    from workout left join workout_exercises as entry on entry.workout_id = workout.id and entry.id = ${exerciseEntryId}::uuid`;
  return locked;
}

export type LockedSet = {
  status: string;
  version: number;
  setId: string | null;
  mode: string;
  position: number;
  set: string;
};

/** Locks a workout of `userId` that is not in the trash, and looks at one of its sets; undefined for anyone else's. */
export async function lockForSet(
  { sql }: Db,
  userId: string,
  workoutId: string,
  setId: string,
): Promise<LockedSet | undefined> {
  const [locked] = await sql<LockedSet[]>`
    with workout as (
      select id, status, version from workouts
      where id = ${workoutId} and user_id = ${userId} and deleted_at is null for no key update
    )
    select status, version, found.id as "setId", coalesce(found.mode, '') as mode, coalesce(found.position, 0) as position,
      coalesce(found.json, '{}') as set
    from workout left join lateral (
      select workout_sets.id, workout_sets.mode, workout_sets.position,
        (select ${setJson(sql)} from workout_sets as one where one.id = workout_sets.id) as json
      from workout_sets join workout_exercises on workout_exercises.id = workout_exercise_id
      where workout_id = workout.id and workout_sets.id = ${setId}
    ) as found on true`;
  return locked;
}

/** Adds sets at the end of an exercise of a locked workout, each as JSON, in their order. Breaks `workout_sets_pkey`. */
export async function insertSets(
  { sql }: Db,
  workoutId: string,
  entry: { id: string; mode: string },
  sets: SetRow[],
): Promise<string[]> {
  const rows = await sql<{ json: string }[]>`
    with ${listedSets(sql, sets)}, ${touched(sql, workoutId)}
    insert into workout_sets (id, workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
      distance_m, rpe, rir, rest_s, completed_at, note)
    select coalesce(id, uuidv7()), ${entry.id}::uuid, ${entry.mode},
      coalesce((select max(position) from workout_sets where workout_exercise_id = ${entry.id}), 0) + listed_sets.position,
      type, weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note
    from listed_sets order by listed_sets.position returning ${setJson(sql)} as json`;
  return rows.map(({ json }) => json);
}

/** Writes all of a set of a locked workout anew, at its new place among its exercise's, and returns it as JSON. */
export async function replaceSet(
  { sql }: Db,
  workoutId: string,
  setId: string,
  set: SetRow,
  from: number,
): Promise<string> {
  await sql`
    with target as (select workout_exercise_id from workout_sets where id = ${setId}), place as (
      select least(${set.position}, (select max(position) from workout_sets join target using (workout_exercise_id))) as at
    ), moved as (
      update workout_sets set position = position + sign(${from} - at)::int
      from target, place
      where workout_sets.workout_exercise_id = target.workout_exercise_id and id <> ${setId}
        and position between least(at, ${from}) and greatest(at, ${from})
    ), given as (
      select ${set.weight}::numeric as weight, ${set.weight_unit}::text as weight_unit
    ), ${touched(sql, workoutId)}
    update workout_sets set position = place.at, type = ${set.type}, weight = given.weight, weight_unit = given.weight_unit,
      weight_kg = (select ${weightKg(sql)} from given), reps = ${set.reps}::smallint, time_s = ${set.time_s}::integer,
      distance_m = ${set.distance_m}::integer, rpe = ${set.rpe}::numeric, rir = ${set.rir}::smallint,
      rest_s = ${set.rest_s}::integer, completed_at = ${set.completed_at}::timestamptz, note = ${set.note}
    from given, place where id = ${setId}`;
  const [row] = await sql<{ json: string }[]>`select ${setJson(sql)} as json from workout_sets where id = ${setId}`;
  return (row as { json: string }).json;
}

/** Removes a set of a locked workout; those after it move up. One statement. */
export async function deleteSet({ sql }: Db, workoutId: string, setId: string): Promise<void> {
  await sql`
    with gone as (delete from workout_sets where id = ${setId} returning workout_exercise_id, position), moved as (
      update workout_sets set position = workout_sets.position - 1 from gone
      where workout_sets.workout_exercise_id = gone.workout_exercise_id and workout_sets.position > gone.position
    )
    ${touch(sql, workoutId)}`;
}

/**
 * Adds an exercise with its sets to a locked workout, unless the user does not have it and it has no name to keep: returns
 * the ids that are missing then. Breaks `workout_exercises_pkey`, `workout_sets_pkey`. One statement.
 */
export async function insertEntry(
  { sql }: Db,
  userId: string,
  workoutId: string,
  entry: ExerciseRow,
  sets: SetRow[],
): Promise<string[]> {
  const [row] = await sql<{ missing: string[] }[]>`
    with ${listedEntries(sql, userId, [entry], sets)}, made as (
      select ${workoutId}::uuid as id where not exists (select from missing)
    ), ${writtenEntries(sql, userId)}, ${touched(sql, workoutId)}
    select array(select exercise_id::text from missing) as missing`;
  return row?.missing ?? [];
}

export type EntryChange = {
  position?: number | undefined;
  supersetGroup?: number | null | undefined;
  notes?: string | null | undefined;
};

/** Changes an exercise of a locked workout, and moves it to its new place, at most the last. One statement. */
export async function updateExerciseEntry(
  { sql }: Db,
  workoutId: string,
  entryId: string,
  change: EntryChange,
  place: { from: number; count: number },
): Promise<void> {
  const at = Math.min(change.position ?? place.from, place.count);
  await sql`
    with moved as (
      update workout_exercises set position = position + sign(${place.from}::int - ${at}::int)::int
      where workout_id = ${workoutId} and id <> ${entryId}
        and position between ${Math.min(at, place.from)} and ${Math.max(at, place.from)}
    ), ${touched(sql, workoutId)}
    update workout_exercises set position = ${at},
      superset_group = case when ${change.supersetGroup !== undefined} then ${change.supersetGroup ?? null}::smallint else superset_group end,
      notes = case when ${change.notes !== undefined} then ${change.notes ?? null}::text else notes end
    where id = ${entryId}`;
}

/** Removes an exercise of a locked workout with its sets; those after it move up. One statement. */
export async function deleteExerciseEntry({ sql }: Db, workoutId: string, entryId: string): Promise<void> {
  await sql`
    with gone as (delete from workout_exercises where id = ${entryId} returning position), moved as (
      update workout_exercises set position = workout_exercises.position - 1 from gone
      where workout_id = ${workoutId} and workout_exercises.position > gone.position
    )
    ${touch(sql, workoutId)}`;
}

/** Raises the version of a workout: every change of anything in it does. */
const touch = (sql: Db["sql"], workoutId: string): Fragment =>
  sql`update workouts set updated_at = clock_timestamp(), version = version + 1 where id = ${workoutId}`;

const touched = (sql: Db["sql"], workoutId: string): Fragment => sql`touched as (${touch(sql, workoutId)})`;
