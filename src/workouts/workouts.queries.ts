import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { WorkoutPatch } from "./workouts.schemas.ts";

/**
 * A set as the statements take it. `weightUnit` says what `weight` is in; kilograms are kept beside
 * it.
 */
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

export type ExerciseRow = {
  id: string | null;
  position: number;
  exercise_id: string | null;
  exercise_name: string | null;
  mode: string;
  superset_group: number | null;
  notes: string | null;
  targets: object | null;
  /** True when `exercise_name` stands, whatever the exercise is called now. */
  keeps_name: boolean;
};

export type WorkoutRow = {
  id: string | null;
  name: string | null;
  /** Null: completed when it has ended, else in progress. */
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

/** Kilograms of `weight` in `weight_unit`. */
export const weightKg = (sql: Db["sql"]): Fragment =>
  sql`case weight_unit when 'lb' then weight * ${KG_PER_LB} else weight end`;

/** The given sets as rows of `listed_sets`. */
export const listedSets = (sql: Db["sql"], sets: SetRow[]): Fragment => sql`listed_sets as (
  select * from json_to_recordset(${JSON.stringify(sets)}::text::json) as entry (
    id uuid, exercise smallint, position smallint, type text, weight numeric, weight_unit text, reps smallint,
    time_s integer, distance_m integer, rpe numeric, rir smallint, rest_s integer, completed_at timestamptz, note text)
)`;

/**
 * What writes exercises and sets of the workout in `made`: `listed_exercises` and `listed_sets`, of
 * which `missing` are exercises that `userId` does not have and that have no name to keep instead.
 * With any, nothing is to be written.
 */
export const listedEntries = (
  sql: Db["sql"],
  userId: string,
  exercises: ExerciseRow[],
  sets: SetRow[],
) => sql`
  listed_exercises as materialized (
    select coalesce(id, uuidv7()) as id, position, exercise_id, exercise_name, mode, superset_group, notes,
      jsonb_strip_nulls(targets) as targets, keeps_name
    from json_to_recordset(${JSON.stringify(exercises)}::text::json) as entry (id uuid, position smallint, exercise_id uuid,
      exercise_name text, mode text, superset_group smallint, notes text, targets jsonb, keeps_name boolean)
  ), ${listedSets(sql, sets)}, missing as (
    select distinct exercise_id from listed_exercises where exercise_id is not null and exercise_name is null
      and not exists (select from exercises where exercises.id = exercise_id and (owner_id is null or owner_id = ${userId}))
  )`;

/**
 * The exercises of the routine as `listed_exercises`, with its targets as they are now; nothing is
 * missing.
 */
const routineEntries = (sql: Db["sql"], routineId: string | null) => sql`
  listed_exercises as materialized (
    select uuidv7() as id, position, exercise_id, exercise_name, mode, superset_group, notes, jsonb_strip_nulls(jsonb_build_object(
        'sets', sets, 'repsMin', reps_min, 'repsMax', reps_max, 'weight', trim_scale(weight), 'weightUnit', weight_unit,
        'timeS', time_s, 'distanceM', distance_m, 'rpe', trim_scale(rpe), 'rir', rir, 'restS', rest_s, 'tempo', tempo)) as targets,
      false as keeps_name
    from routine_exercises where routine_id = ${routineId}::uuid
  ), ${listedSets(sql, [])}, missing as (select null::uuid as exercise_id where false)`;

/**
 * Writes what is listed into the workout in `made`, behind the exercises that it has, of which
 * there are `made.after`.
 */
export const writtenEntries = (sql: Db["sql"], userId: string): Fragment => sql`
  made_exercises as (
    insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode, targets, superset_group, notes)
    select listed_exercises.id, made.id, made.after + listed_exercises.position, visible.id,
      case when keeps_name then exercise_name else coalesce(visible.name, exercise_name) end, listed_exercises.mode, targets,
      superset_group, listed_exercises.notes
    from made cross join listed_exercises
    left join exercises as visible on visible.id = listed_exercises.exercise_id
      and (visible.owner_id is null or visible.owner_id = ${userId})
  ), made_sets as (
    insert into workout_sets (id, workout_exercise_id, mode, position, type, weight, weight_unit, weight_kg, reps, time_s,
      distance_m, rpe, rir, rest_s, completed_at, note)
    select coalesce(listed_sets.id, uuidv7()), listed_exercises.id, listed_exercises.mode, listed_sets.position, type,
      weight, weight_unit, ${weightKg(sql)}, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note
    from made cross join listed_sets join listed_exercises on listed_exercises.position = listed_sets.exercise
  )`;

/**
 * Inserts a workout with its exercises and sets. Exercises that are not given come from the
 * routine, with its targets as they are now. Names of plan, routine and exercises are kept. Breaks
 * `workouts_pkey`, `workouts_order_check`, `workouts_length_check`, `workouts_ended_check`. One
 * statement.
 */
export async function insertWorkout(
  { sql }: Db,
  userId: string,
  workout: WorkoutRow,
  exercises: ExerciseRow[] | undefined,
  sets: SetRow[],
): Promise<{ id: string | null; missing: string[] }> {
  const listed = exercises
    ? listedEntries(sql, userId, exercises, sets)
    : routineEntries(sql, workout.routineId);
  const [made] = await sql<{ id: string | null; missing: string[] }[]>`
    with ${listed}, made as (
      insert into workouts (id, user_id, name, plan_id, plan_name, routine_id, routine_name, status, started_at, ended_at,
        time_zone, body_weight_kg, notes)
      select coalesce(${workout.id}::uuid, uuidv7()), ${userId}::uuid, ${workout.name}, ${workout.planId}::uuid,
        (select name from plans where id = ${workout.planId}::uuid), ${workout.routineId}::uuid,
        (select name from routines where id = ${workout.routineId}::uuid),
        coalesce(${workout.status}, case when ${workout.endedAt}::timestamptz is null then 'in_progress' else 'completed' end),
        coalesce(${workout.startedAt}::timestamptz, clock_timestamp()), ${workout.endedAt}::timestamptz,
        ${workout.timeZone}, ${workout.bodyWeightKg}::numeric, ${workout.notes}
      where not exists (select from missing) returning id, 0 as after
    ), ${writtenEntries(sql, userId)}
    select (select id from made) as id, array(select exercise_id::text from missing) as missing`;
  return made as { id: string | null; missing: string[] };
}

/**
 * The workout with exercises and sets in order, as JSON: the user's own, not in the trash. One
 * statement.
 */
export async function findWorkoutJson(
  { sql }: Db,
  userId: string,
  workoutId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select ${workoutJson(sql)} as json from workouts where id = ${workoutId} and user_id = ${userId} and deleted_at is null`;
  return row?.json;
}

export type WorkoutFilter = {
  /** Later pages begin after this place. */
  after?: { startedAt: string; id: string } | undefined;
  from?: string | undefined;
  to?: string | undefined;
  exerciseId?: string | undefined;
};

/**
 * Summaries, the latest start first, ties by id; at most `limit`, each with the place that it has
 * in that order.
 */
export async function listWorkouts(
  { sql }: Db,
  userId: string,
  { after, from, to, exerciseId }: WorkoutFilter,
  limit: number,
): Promise<{ json: string; startedAt: string; id: string }[]> {
  return sql`
    select id, ${instant(sql, "started_at")} as "startedAt", (
      select row_to_json(shown)::text from (
        select ${workoutFields(sql)},
          (select count(*) from workout_exercises where workout_id = workouts.id) as "exerciseCount",
          (select count(*) from workout_exercises join workout_sets on workout_exercise_id = workout_exercises.id
           where workout_id = workouts.id) as "setCount"
      ) as shown
    ) as json
    from workouts where user_id = ${userId} and deleted_at is null
      and (${after?.startedAt ?? null}::timestamptz is null
        or (started_at, id) < (${after?.startedAt ?? null}::timestamptz, ${after?.id ?? null}::uuid))
      and (${from ?? null}::timestamptz is null or started_at >= ${from ?? null}::timestamptz)
      and (${to ?? null}::timestamptz is null or started_at < ${to ?? null}::timestamptz)
      and (${exerciseId ?? null}::uuid is null or exists (
        select from workout_exercises where workout_id = workouts.id and exercise_id = ${exerciseId ?? null}::uuid))
    order by started_at desc, id desc limit ${limit}`;
}

/** What is in the trash, deleted last first, at most 100, as JSON summaries. */
export async function listTrashJson({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(shown)::text, ','), '') || ']' as json from (
      select ${workoutFields(sql)},
        (select count(*) from workout_exercises where workout_id = workouts.id) as "exerciseCount",
        (select count(*) from workout_exercises join workout_sets on workout_exercise_id = workout_exercises.id
         where workout_id = workouts.id) as "setCount"
      from workouts where user_id = ${userId} and deleted_at is not null order by deleted_at desc, id limit 100
    ) as shown`;
  return row?.json ?? "[]";
}

/**
 * Days that have workouts, each in the time zone of its workout, from `from` to `to`, both
 * inclusive, ascending.
 */
export async function listDaysJson(
  { sql }: Db,
  userId: string,
  from: string,
  to: string,
): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    with days as (
      select to_char(started_at at time zone time_zone, 'YYYY-MM-DD') as day, count(*) as "workoutCount",
        sum((select count(*) from workout_exercises join workout_sets on workout_exercise_id = workout_exercises.id
         where workout_id = workouts.id))::bigint as "setCount",
        coalesce(sum(extract(epoch from ended_at - started_at)), 0)::bigint as "durationS"
      from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
        and started_at between ${from}::date - interval '1 day' and ${to}::date + interval '2 days'
      group by 1
    )
    select '[' || coalesce(string_agg(row_to_json(days)::text, ',' order by day), '') || ']' as json
    from days where day between ${from} and ${to}`;
  return row?.json ?? "[]";
}

export type WorkoutChange = Omit<WorkoutPatch, "endedAt"> & {
  status?: "in_progress" | "completed" | "aborted";
  /** `now` is the database's; null reopens. */
  endedAt?: string | null;
  isDeleted?: boolean;
};

/**
 * Changes a locked workout and returns it as JSON. Breaks `workouts_order_check`,
 * `workouts_length_check`. One statement, and one to read it.
 */
export async function updateWorkout(
  { sql }: Db,
  workoutId: string,
  change: WorkoutChange,
): Promise<string> {
  const { name, notes, bodyWeightKg, endedAt, isDeleted } = change;
  const ends = endedAt === "now" ? sql`clock_timestamp()` : sql`${endedAt ?? null}::timestamptz`;
  await sql`
    update workouts set
      name = case when ${name !== undefined} then ${name ?? null}::text else name end,
      notes = case when ${notes !== undefined} then ${notes ?? null}::text else notes end,
      body_weight_kg = case when ${bodyWeightKg !== undefined} then ${bodyWeightKg ?? null}::numeric else body_weight_kg end,
      started_at = coalesce(${change.startedAt ?? null}::timestamptz, started_at),
      ended_at = case when ${endedAt !== undefined} then ${ends} else ended_at end,
      is_length_exempt = is_length_exempt and ${change.startedAt === undefined && endedAt === undefined},
      time_zone = coalesce(${change.timeZone ?? null}, time_zone), status = coalesce(${change.status ?? null}, status),
      deleted_at = case when ${isDeleted === true} then clock_timestamp() when ${isDeleted === false} then null else deleted_at end,
      updated_at = clock_timestamp(), version = version + 1
    where id = ${workoutId}`;
  const [row] = await sql<
    { json: string }[]
  >`select ${workoutJson(sql)} as json from workouts where id = ${workoutId}`;
  return (row as { json: string }).json;
}

/** Deletes for good what has been in the trash for 30 days; how many there were. */
export async function emptyTrash({ sql }: Db): Promise<number> {
  const gone = await sql`delete from workouts where deleted_at < now() - interval '30 days'`;
  return gone.count;
}

const workoutFields = (sql: Db["sql"]): Fragment => sql`
  workouts.id, workouts.name, status, plan_id as "planId", plan_name as "planName", routine_id as "routineId",
  routine_name as "routineName", ${instant(sql, "started_at")} as "startedAt", ${instant(sql, "ended_at")} as "endedAt",
  extract(epoch from ended_at - started_at)::bigint as "durationS", time_zone as "timeZone",
  trim_scale(body_weight_kg) as "bodyWeightKg", workouts.notes, ${instant(sql, "created_at")} as "createdAt",
  ${instant(sql, "updated_at")} as "updatedAt", version`;

const setFields = (sql: Db["sql"]): Fragment => sql`
  id, position, type, trim_scale(weight) as weight, weight_unit as "weightUnit", trim_scale(weight_kg) as "weightKg", reps,
  time_s as "timeS", distance_m as "distanceM", trim_scale(rpe) as rpe, rir, rest_s as "restS",
  ${instant(sql, "completed_at")} as "completedAt", note`;

/** One set as JSON, in a statement over `workout_sets`. */
export const setJson = (sql: Db["sql"]): Fragment =>
  sql`(select row_to_json(shown)::text from (select ${setFields(sql)}) as shown)`;

/** A row of `workouts` with its exercises and sets as JSON. */
export const workoutJson = (sql: Db["sql"]): Fragment => sql`(
  select row_to_json(shown)::text from (
    select ${workoutFields(sql)}, (
      select coalesce(json_agg(row_to_json(entry) order by entry.position, entry.id), '[]') from (
        select id, position, exercise_id as "exerciseId", exercise_name as "exerciseName", mode, targets,
          superset_group as "supersetGroup", notes, (
            select coalesce(json_agg(row_to_json(one) order by one.position, one.id), '[]')
            from (select ${setFields(sql)} from workout_sets where workout_exercise_id = workout_exercises.id) as one
          ) as sets
        from workout_exercises where workout_id = workouts.id
      ) as entry
    ) as exercises
  ) as shown
)`;
