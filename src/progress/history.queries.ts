import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { estimatedOneRepMax } from "./one-rep-max.queries.ts";
import { type Formula, MAX_REPS } from "./one-rep-max.rules.ts";
import { setVolumeKg } from "./volume.queries.ts";

/**
 * The sets of one exercise in a workout, as JSON, and the values that the workout is ordered by.
 */
export type HistoryEntry = { json: string; startedAt: string; id: string };

/**
 * At most `limit` workouts of `userId` with an exercise, the latest start first, ties by id: its
 * sets in order, their volume, and the best estimated one-repetition maximum. Aborted workouts and
 * the trash are left out; warm-ups are listed but not counted. Scans the user's own workouts, so
 * that the cost does not depend on how many users do the exercise. One statement.
 */
export async function listHistory(
  { sql }: Db,
  userId: string,
  exerciseId: string,
  { formula, after }: { formula: Formula; after: { startedAt: string; id: string } | undefined },
  limit: number,
): Promise<HistoryEntry[]> {
  const afterStart = after?.startedAt ?? null;
  return sql`
    with page as (
      select id, name, started_at, time_zone
      from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
        and (${afterStart}::timestamptz is null
          or (started_at, id) < (${afterStart}::timestamptz, ${after?.id ?? null}::uuid))
        and exists (
          select from workout_exercises
          where workout_id = workouts.id and exercise_id = ${exerciseId})
      order by started_at desc, id desc
      limit ${limit}
    )
    select id, started as "startedAt", (
      select row_to_json(entry)::text
      from (
        select page.id as "workoutId", page.name as "workoutName", started as "startedAt",
          time_zone as "timeZone",
          to_char(started_at at time zone time_zone, 'YYYY-MM-DD') as day, figures.*
      ) as entry
    ) as json
    from page, ${instant(sql, "started_at")} as started, lateral (
      select trim_scale(coalesce(sum(${setVolumeKg(sql)}) filter (where counts), 0)) as "volumeKg",
        round(max(estimated)::numeric, 3) as "estimatedKg",
        case
          when not coalesce(bool_or(counts and mode = 'reps'), false) then 'no_sets'
          when not coalesce(
            bool_or(counts and weight_kg > 0 and reps between 1 and ${MAX_REPS}::int), false)
          then 'no_weighted_sets_of_1_to_12_reps'
          when max(estimated) is null then 'no_sets_with_rpe'
        end as "estimateMissing",
        coalesce(
          json_agg(
            json_build_object('id', id, 'type', type, 'weight', trim_scale(weight),
              'weightUnit', weight_unit, 'weightKg', trim_scale(weight_kg), 'reps', reps,
              'timeS', time_s, 'distanceM', distance_m, 'rpe', trim_scale(rpe), 'rir', rir)
            order by exercise_position, position, id
          ) filter (where id is not null),
          '[]') as sets
      from (
        select workout_sets.*, workout_exercises.position as exercise_position, counts,
          case when counts then ${estimatedOneRepMax(sql, formula)} end as estimated
        from workout_exercises
        left join workout_sets on workout_exercise_id = workout_exercises.id,
        lateral (
          select type <> 'warmup' and coalesce(reps, time_s, distance_m, 0) > 0 as counts
        ) as counting
        where workout_id = page.id and exercise_id = ${exerciseId}
      ) as sets_of_exercise
    ) as figures
    order by page.started_at desc, page.id desc`;
}
