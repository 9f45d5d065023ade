import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";

/**
 * The workout with its exercises and sets in order, as JSON, if `userId` owns it and it is not in
 * the trash. One statement.
 */
export async function findWorkoutJson(
  { sql }: Db,
  userId: string,
  workoutId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select ${workoutJson(sql)} as json
    from workouts
    where id = ${workoutId} and user_id = ${userId} and deleted_at is null`;
  return row?.json;
}

export type WorkoutFilter = {
  /** The last workout of the previous page. */
  after?: { startedAt: string; id: string } | undefined;
  from?: string | undefined;
  to?: string | undefined;
  exerciseId?: string | undefined;
};

/**
 * At most `limit` summaries, the latest start first, ties by id, each with the values that it is
 * ordered by.
 */
export async function listWorkouts(
  { sql }: Db,
  userId: string,
  { after, from, to, exerciseId }: WorkoutFilter,
  limit: number,
): Promise<{ json: string; startedAt: string; id: string }[]> {
  const afterStart = after?.startedAt ?? null;
  return sql`
    select id, ${instant(sql, "started_at")} as "startedAt", (
      select row_to_json(summary)::text from (select ${summaryFields(sql)}) as summary
    ) as json
    from workouts
    where user_id = ${userId} and deleted_at is null
      and (${afterStart}::timestamptz is null
        or (started_at, id) < (${afterStart}::timestamptz, ${after?.id ?? null}::uuid))
      and (${from ?? null}::timestamptz is null or started_at >= ${from ?? null}::timestamptz)
      and (${to ?? null}::timestamptz is null or started_at < ${to ?? null}::timestamptz)
      and (${exerciseId ?? null}::uuid is null or exists (
        select from workout_exercises
        where workout_id = workouts.id and exercise_id = ${exerciseId ?? null}::uuid))
    order by started_at desc, id desc
    limit ${limit}`;
}

/** At most 100 summaries of workouts in the trash, the last deleted first, as a JSON array. */
export async function listTrashJson({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(summary)::text, ','), '') || ']' as json
    from (
      select ${summaryFields(sql)}
      from workouts
      where user_id = ${userId} and deleted_at is not null
      order by deleted_at desc, id
      limit 100
    ) as summary`;
  return row?.json ?? "[]";
}

/**
 * The days with workouts from `from` to `to`, both inclusive, ascending, as a JSON array. Each
 * workout counts for the day of its start in its own time zone; aborted ones do not count.
 */
export async function listDaysJson(
  { sql }: Db,
  userId: string,
  from: string,
  to: string,
): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    with days as (
      select to_char(started_at at time zone time_zone, 'YYYY-MM-DD') as day,
        count(*) as "workoutCount", sum(${setCount(sql)})::bigint as "setCount",
        coalesce(sum(extract(epoch from ended_at - started_at)), 0)::bigint as "durationS"
      from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
        and started_at between ${from}::date - interval '1 day' and ${to}::date + interval '2 days'
      group by 1
    )
    select '[' || coalesce(string_agg(row_to_json(days)::text, ',' order by day), '') || ']' as json
    from days
    where day between ${from} and ${to}`;
  return row?.json ?? "[]";
}

const workoutFields = (sql: Db["sql"]): Fragment => sql`
  workouts.id, workouts.name, status,
  plan_id as "planId", plan_name as "planName",
  routine_id as "routineId", routine_name as "routineName",
  ${instant(sql, "started_at")} as "startedAt", ${instant(sql, "ended_at")} as "endedAt",
  extract(epoch from ended_at - started_at)::bigint as "durationS", time_zone as "timeZone",
  trim_scale(body_weight_kg) as "bodyWeightKg", workouts.notes,
  ${instant(sql, "created_at")} as "createdAt", ${instant(sql, "updated_at")} as "updatedAt",
  version`;

const setCount = (sql: Db["sql"]): Fragment => sql`(
  select count(*)
  from workout_exercises
  join workout_sets on workout_exercise_id = workout_exercises.id
  where workout_id = workouts.id)`;

const summaryFields = (sql: Db["sql"]): Fragment => sql`
  ${workoutFields(sql)},
  (select count(*) from workout_exercises where workout_id = workouts.id) as "exerciseCount",
  ${setCount(sql)} as "setCount"`;

const setFields = (sql: Db["sql"]): Fragment => sql`
  id, position, type, trim_scale(weight) as weight, weight_unit as "weightUnit",
  trim_scale(weight_kg) as "weightKg", reps, time_s as "timeS", distance_m as "distanceM",
  trim_scale(rpe) as rpe, rir, rest_s as "restS",
  ${instant(sql, "completed_at")} as "completedAt", note`;

/** The row of `workout_sets` as JSON. */
export const setJson = (sql: Db["sql"]): Fragment =>
  sql`(select row_to_json(fields)::text from (select ${setFields(sql)}) as fields)`;

/** The row of `workouts` with its exercises and sets as JSON. */
export const workoutJson = (sql: Db["sql"]): Fragment => sql`(
  select row_to_json(fields)::text
  from (
    select ${workoutFields(sql)}, (
      select coalesce(json_agg(row_to_json(entry) order by entry.position, entry.id), '[]')
      from (
        select id, position, exercise_id as "exerciseId", exercise_name as "exerciseName", mode,
          targets, superset_group as "supersetGroup", notes, (
            select coalesce(json_agg(row_to_json(sets) order by sets.position, sets.id), '[]')
            from (
              select ${setFields(sql)}
              from workout_sets
              where workout_exercise_id = workout_exercises.id
            ) as sets
          ) as sets
        from workout_exercises
        where workout_id = workouts.id
      ) as entry
    ) as exercises
  ) as fields
)`;
