import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { estimatedOneRepMax } from "./one-rep-max.queries.ts";
import { type Formula, MAX_REPS } from "./one-rep-max.rules.ts";
import { setVolumeKg } from "./volume.queries.ts";

/**
 * The records of `userId` in one exercise as JSON: the best set by estimated one-repetition
 * maximum, by weight, by repetitions and by volume (weight × repetitions), and the set with the
 * most repetitions at each weight. Among equal sets the earliest wins. Excludes warm-ups, aborted
 * workouts and the trash. One statement.
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
  const withVolume = sql`${set}, trim_scale(${setVolumeKg(sql)}) as "volumeKg"`;
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
        ${bestBy(setVolumeKg(sql), withVolume)} as "mostVolume",
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
