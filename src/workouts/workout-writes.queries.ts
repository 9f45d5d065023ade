import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { workoutJson } from "./workouts.queries.ts";
import type { WorkoutPatch } from "./workouts.schemas.ts";

/** A set to write, by column. `exercise` is the position of its exercise among those written. */
export type SetRow = {
  id: string | null;
  exercise: number;
  position: number;
  type: string;
  weight: number | null;
  weight_unit: string | null;
  reps: number | null;
  time_s: number | null;
  distance_m: number | null;
  rpe: number | null;
  rir: number | null;
  rest_s: number | null;
  completed_at: string | null;
  note: string | null;
};

/** An exercise of a workout to write, by column. */
export type ExerciseRow = {
  id: string | null;
  position: number;
  exercise_id: string | null;
  exercise_name: string | null;
  mode: string;
  superset_group: number | null;
  notes: string | null;
  targets: object | null;
  /** True to store `exercise_name` even if the exercise has another name now. */
  keeps_name: boolean;
};

export type WorkoutRow = {
  id: string | null;
  name: string | null;
  /** Null: completed if it has ended, else in progress. */
  status: string | null;
  planId: string | null;
  routineId: string | null;
  startedAt: string | null;
  endedAt: string | null;
  timeZone: string;
  bodyWeightKg: number | null;
  notes: string | null;
};

/** Exact by definition (international avoirdupois pound, 1959). */
const KG_PER_LB = 0.45359237;

/** `weight` in kilograms, of a row with `weight` and `weight_unit`. */
export const weightKg = (sql: Db["sql"]): Fragment =>
  sql`case weight_unit when 'lb' then weight * ${KG_PER_LB} else weight end`;

/** The given sets as rows of `new_sets`. */
export const newSets = (sql: Db["sql"], sets: SetRow[]): Fragment => sql`new_sets as (
  select * from json_to_recordset(${JSON.stringify(sets)}::text::json) as entry (
    id uuid, exercise smallint, position smallint, type text, weight numeric, weight_unit text,
    reps smallint, time_s integer, distance_m integer, rpe numeric, rir smallint, rest_s integer,
    completed_at timestamptz, note text)
)`;

/**
 * The given exercises and sets as rows of `new_exercises` and `new_sets`. `missing` are the
 * exercises that `userId` does not have and that come without a name to store instead; if there are
 * any, the statement must write nothing.
 */
export const newEntries = (
  sql: Db["sql"],
  userId: string,
  exercises: ExerciseRow[],
  sets: SetRow[],
) => sql`
  new_exercises as materialized (
    select coalesce(id, uuidv7()) as id, position, exercise_id, exercise_name, mode,
      superset_group, notes, jsonb_strip_nulls(targets) as targets, keeps_name
    from json_to_recordset(${JSON.stringify(exercises)}::text::json) as entry (
      id uuid, position smallint, exercise_id uuid, exercise_name text, mode text,
      superset_group smallint, notes text, targets jsonb, keeps_name boolean)
  ), ${newSets(sql, sets)}, missing as (
    select distinct exercise_id
    from new_exercises
    where exercise_id is not null and exercise_name is null
      and not exists (
        select from exercises
        where exercises.id = exercise_id and (owner_id is null or owner_id = ${userId}))
  )`;

/** The exercises of a routine as `new_exercises`, with its present targets; none is missing. */
const routineEntries = (sql: Db["sql"], routineId: string | null) => sql`
  new_exercises as materialized (
    select uuidv7() as id, position, exercise_id, exercise_name, mode, superset_group, notes,
      jsonb_strip_nulls(jsonb_build_object(
        'sets', sets, 'repsMin', reps_min, 'repsMax', reps_max,
        'weight', trim_scale(weight), 'weightUnit', weight_unit,
        'timeS', time_s, 'distanceM', distance_m, 'rpe', trim_scale(rpe), 'rir', rir,
        'restS', rest_s, 'tempo', tempo)) as targets,
      false as keeps_name
    from routine_exercises
    where routine_id = ${routineId}::uuid
  ), ${newSets(sql, [])}, missing as (select null::uuid as exercise_id where false)`;

/**
 * Inserts `new_exercises` and `new_sets` into the workout of the row of `target`, after the
 * `target.entry_count` exercises that it has; inserts nothing if `target` is empty.
 */
export const insertEntries = (sql: Db["sql"], userId: string): Fragment => sql`
  inserted_exercises as (
    insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode,
      targets, superset_group, notes)
    select new_exercises.id, target.id, target.entry_count + new_exercises.position, visible.id,
      case when keeps_name then exercise_name else coalesce(visible.name, exercise_name) end,
      new_exercises.mode, targets, superset_group, new_exercises.notes
    from target
    cross join new_exercises
    left join exercises as visible on visible.id = new_exercises.exercise_id
      and (visible.owner_id is null or visible.owner_id = ${userId})
  ), inserted_sets as (
    insert into workout_sets (id, workout_exercise_id, mode, position, type, weight, weight_unit,
      weight_kg, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note)
    select coalesce(new_sets.id, uuidv7()), new_exercises.id, new_exercises.mode,
      new_sets.position, type, weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m,
      rpe, rir, rest_s, completed_at, note
    from target
    cross join new_sets
    join new_exercises on new_exercises.position = new_sets.exercise
  )`;

/**
 * Inserts a workout with its exercises and sets, and copies the names of plan, routine and
 * exercises into it. If `exercises` is undefined, takes them from the routine with its present
 * targets. Violates `workouts_pkey`, `workouts_order_check`, `workouts_length_check`,
 * `workouts_ended_check`. One statement.
 */
export async function insertWorkout(
  { sql }: Db,
  userId: string,
  workout: WorkoutRow,
  exercises: ExerciseRow[] | undefined,
  sets: SetRow[],
): Promise<{ id: string | null; missing: string[] }> {
  const entries = exercises
    ? newEntries(sql, userId, exercises, sets)
    : routineEntries(sql, workout.routineId);
  const [result] = await sql<{ id: string | null; missing: string[] }[]>`
    with ${entries}, target as (
      insert into workouts (id, user_id, name, plan_id, plan_name, routine_id, routine_name,
        status, started_at, ended_at, time_zone, body_weight_kg, notes)
      select coalesce(${workout.id}::uuid, uuidv7()), ${userId}::uuid, ${workout.name},
        ${workout.planId}::uuid,
        (select name from plans where id = ${workout.planId}::uuid),
        ${workout.routineId}::uuid,
        (select name from routines where id = ${workout.routineId}::uuid),
        coalesce(
          ${workout.status},
          case when ${workout.endedAt}::timestamptz is null then 'in_progress' else 'completed' end
        ),
        coalesce(${workout.startedAt}::timestamptz, clock_timestamp()),
        ${workout.endedAt}::timestamptz,
        ${workout.timeZone}, ${workout.bodyWeightKg}::numeric, ${workout.notes}
      where not exists (select from missing)
      returning id, 0 as entry_count
    ), ${insertEntries(sql, userId)}
    select (select id from target) as id, array(select exercise_id::text from missing) as missing`;
  return result as { id: string | null; missing: string[] };
}

export type WorkoutChange = Omit<WorkoutPatch, "endedAt"> & {
  status?: "in_progress" | "completed" | "aborted";
  /** `now` is the database's time; null reopens the workout. */
  endedAt?: string | null;
  isDeleted?: boolean;
};

/**
 * Updates a locked workout and returns it as JSON. Violates `workouts_order_check`,
 * `workouts_length_check`. One statement to write and one to read.
 */
export async function updateWorkout(
  { sql }: Db,
  workoutId: string,
  change: WorkoutChange,
): Promise<string> {
  const { name, notes, bodyWeightKg, startedAt, endedAt, isDeleted } = change;
  const newEnd = endedAt === "now" ? sql`clock_timestamp()` : sql`${endedAt ?? null}::timestamptz`;
  const keepsLength = startedAt === undefined && endedAt === undefined;
  await sql`
    update workouts
    set name = case when ${name !== undefined} then ${name ?? null}::text else name end,
      notes = case when ${notes !== undefined} then ${notes ?? null}::text else notes end,
      body_weight_kg = case when ${bodyWeightKg !== undefined}
        then ${bodyWeightKg ?? null}::numeric else body_weight_kg end,
      started_at = coalesce(${startedAt ?? null}::timestamptz, started_at),
      ended_at = case when ${endedAt !== undefined} then ${newEnd} else ended_at end,
      is_length_exempt = is_length_exempt and ${keepsLength},
      time_zone = coalesce(${change.timeZone ?? null}, time_zone),
      status = coalesce(${change.status ?? null}, status),
      deleted_at = case
        when ${isDeleted === true} then clock_timestamp()
        when ${isDeleted === false} then null
        else deleted_at
      end,
      updated_at = clock_timestamp(), version = version + 1
    where id = ${workoutId}`;
  const [row] = await sql<{ json: string }[]>`
    select ${workoutJson(sql)} as json from workouts where id = ${workoutId}`;
  return (row as { json: string }).json;
}

/** Permanently deletes workouts that have been in the trash for 30 days; returns how many. */
export async function emptyTrash({ sql }: Db): Promise<number> {
  const { count } = await sql`
    delete from workouts where deleted_at < now() - interval '30 days'`;
  return count;
}

/**
 * Increments the version of the workout, as every change of its parts does, if `condition` holds.
 */
export const incrementVersion = (
  sql: Db["sql"],
  workoutId: string,
  condition = sql`true`,
): Fragment => sql`incremented_workout as (
  update workouts
  set updated_at = clock_timestamp(), version = version + 1
  where id = ${workoutId} and ${condition}
)`;
