import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";

/**
 * The volume of a row of `workout_sets` in kg: weight × repetitions, null if either is missing. It
 * counts no body weight.
 */
export const setVolumeKg = (sql: Db["sql"]): Fragment => sql`(weight_kg * reps)`;

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
        sum(coalesce(${setVolumeKg(sql)}, 0)) as volume_kg, count(*) as sets
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
