import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { estimatedOneRepMax } from "./one-rep-max.queries.ts";
import { type Formula, MAX_REPS } from "./one-rep-max.rules.ts";

/**
 * The records of `userId` in one exercise as JSON: the best set by estimated one-repetition
 * maximum, by weight, by repetitions and by volume (weight × repetitions), and the set with the
 * most repetitions at each weight. Of equal sets the earliest wins. Warm-ups, aborted workouts and
 * the trash are left out. One statement.
 */
export async function findRecordsJson(
  { sql }: Db,
  userId: string,
  exerciseId: string,
  formula: Formula,
): Promise<string> {
  const set = sql`id as "setId", workout_id as "workoutId", started as "startedAt",
    trim_scale(weight_kg) as "weightKg", reps`;
  const bestBy = (measure: Fragment, columns = set) => sql`(
    select row_to_json(best)
    from (
      select ${columns} from sets
      where ${measure} is not null
      order by ${measure} desc, started_at, id
      limit 1
    ) as best)`;
  const withEstimate = sql`${set}, round(estimated::numeric, 3) as "estimatedKg"`;
  const withVolume = sql`${set}, trim_scale(weight_kg * reps) as "volumeKg"`;
  const [row] = await sql<{ json: string }[]>`
    with own_workouts as materialized (
      select id, started_at
      from workouts
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
    ), sets as materialized (
      select workout_sets.id, workout_id, started_at, weight_kg, workout_sets.reps,
        ${instant(sql, "started_at")} as started,
        ${estimatedOneRepMax(sql, formula)} as estimated
      from own_workouts
      join workout_exercises on workout_id = own_workouts.id
      join workout_sets on workout_exercise_id = workout_exercises.id
      where exercise_id = ${exerciseId} and type <> 'warmup'
        and workout_sets.mode = 'reps' and workout_sets.reps > 0
    )
    select row_to_json(records)::text as json
    from (
      select ${formula} as formula,
        ${bestBy(sql`estimated`, withEstimate)} as "estimatedOneRepMax",
        case
          when not exists (select from sets) then 'no_sets'
          when not exists (
            select from sets where weight_kg > 0 and reps between 1 and ${MAX_REPS}::int)
          then 'no_weighted_sets_of_1_to_12_reps'
          when not exists (select from sets where estimated is not null) then 'no_sets_with_rpe'
        end as "estimateMissing",
        ${bestBy(sql`weight_kg`)} as heaviest,
        ${bestBy(sql`reps`)} as "mostReps",
        ${bestBy(sql`(weight_kg * reps)`, withVolume)} as "mostVolume",
        (
          select coalesce(json_agg(row_to_json(best) order by best."weightKg" desc), '[]')
          from (
            select distinct on (weight_kg) ${set}
            from sets
            where weight_kg is not null
            order by weight_kg desc, reps desc, started_at, id
            limit 1000
          ) as best
        ) as "repsAtWeight"
    ) as records`;
  return (row as { json: string }).json;
}

const PERIOD = { day: "YYYY-MM-DD", week: 'IYYY-"W"IW', month: "YYYY-MM" } as const;

/**
 * Volume (kg × repetitions) and hard sets of `userId` per period and muscle group, as a JSON array
 * by period, then by the muscle's id. A set counts fully for primary muscles and half for secondary
 * ones. `from` and `to`, both inclusive, are days in each workout's time zone. One statement.
 */
export async function listVolumeJson(
  { sql }: Db,
  userId: string,
  { from, to, by = "week" }: { from: string; to: string; by?: keyof typeof PERIOD },
): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    with totals as (
      select to_char(started_at at time zone time_zone, ${PERIOD[by]}) as period, exercise_id,
        sum(coalesce(weight_kg * workout_sets.reps, 0)) as volume_kg, count(*) as sets
      from workouts
      join workout_exercises on workout_id = workouts.id
      join workout_sets on workout_exercise_id = workout_exercises.id
      where user_id = ${userId} and deleted_at is null and status <> 'aborted'
        and type <> 'warmup' and (workout_sets.reps > 0 or time_s > 0 or distance_m > 0)
        and started_at between ${from}::date - interval '1 day' and ${to}::date + interval '2 days'
        and (started_at at time zone time_zone)::date between ${from}::date and ${to}::date
      group by 1, 2
    ), shares as (
      select period, muscle_id, volume_kg, sets * 1.0 as hard_sets
      from totals
      join exercises on exercises.id = exercise_id, unnest(primary_muscle_ids) as muscle_id
      union all
      select period, muscle_id, volume_kg / 2, sets * 0.5
      from totals
      join exercises on exercises.id = exercise_id, unnest(secondary_muscle_ids) as muscle_id
      where muscle_id <> all (primary_muscle_ids)
    ), sums as (
      select period, muscle_id, trim_scale(sum(volume_kg)) as "volumeKg",
        trim_scale(sum(hard_sets)) as "hardSets"
      from shares
      group by 1, 2
    )
    select '['
        || coalesce(string_agg(row_to_json(entry)::text, ',' order by period, muscle_id), '')
        || ']' as json
    from (
      select period, row_to_json(muscle_groups) as "muscleGroup", "volumeKg", "hardSets"
      from sums
      join muscle_groups on muscle_groups.id = muscle_id
    ) as entry, lateral (select (entry."muscleGroup" ->> 'id')::int as muscle_id) as sort_key`;
  return row?.json ?? "[]";
}
