import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { LISTS } from "./archive.schemas.ts";

/**
 * Everything that `userId` owns, from one snapshot. Each list is the JSON texts of its entries, one
 * per line with commas between: own exercises, routines and plans in the order of their creation,
 * and workouts by start, including those in the trash. One statement.
 */
export async function listArchived(
  { sql }: Db,
  userId: string,
): Promise<Record<keyof typeof LISTS, string>> {
  const indexes = (table: string) => sql`
    select id, row_number() over (order by created_at, id)::int - 1 as index
    from ${sql(table)} where owner_id = ${userId}`;
  const lines = (time: string, id: string) => sql`
    coalesce(
      string_agg(row_to_json(entry)::text, E',\n' order by ${sql(time)}, ${sql(id)}), ''
    )`;
  const times = (table: string) => sql`
    ${instant(sql, `${table}.created_at`)} as "createdAt",
    ${instant(sql, `${table}.updated_at`)} as "updatedAt"`;
  const [lists] = await sql<Record<keyof typeof LISTS, string>[]>`
    with exercise_indexes as (${indexes("exercises")}),
      routine_indexes as (${indexes("routines")}),
      plan_indexes as (${indexes("plans")})
    select (
      select ${lines("exercises.created_at", "exercises.id")} from exercises, lateral (
        select name, category, difficulty, force, mechanic, instructions,
          ${namesOf(sql, "muscle_groups", "primary_muscle_ids")} as "primaryMuscles",
          ${namesOf(sql, "muscle_groups", "secondary_muscle_ids")} as "secondaryMuscles",
          ${namesOf(sql, "equipment", "equipment_ids")} as equipment,
          ${times("exercises")}
      ) as entry
      where owner_id = ${userId}
    ) as exercises, (
      select ${lines("routines.created_at", "routines.id")} from routines, lateral (
        select name, description, sharing, (
            select coalesce(json_agg(row_to_json(part)), '[]') from (
              select ${reference(sql)} as exercise, exercise_name as name, mode, sets,
                reps_min as "repsMin", reps_max as "repsMax", trim_scale(weight) as weight,
                weight_unit as "weightUnit", time_s as "timeS", distance_m as "distanceM",
                trim_scale(rpe) as rpe, rir, rest_s as "restS", tempo,
                superset_group as "supersetGroup", notes
              from routine_exercises
              where routine_id = routines.id
              order by position
            ) as part
          ) as exercises,
          ${times("routines")}
      ) as entry
      where owner_id = ${userId}
    ) as routines, (
      select ${lines("plans.created_at", "plans.id")} from plans, lateral (
        select name, description, difficulty, sharing, weeks, (
            select coalesce(json_agg(row_to_json(part)), '[]') from (
              select index as routine, day, position
              from plan_routines join routine_indexes on routine_indexes.id = routine_id
              where plan_id = plans.id
              order by day, position
            ) as part
          ) as routines,
          ${times("plans")}
      ) as entry
      where owner_id = ${userId}
    ) as plans, (
      select ${lines("workouts.started_at", "workouts.id")} from workouts, lateral (
        select name, status, ${instant(sql, "started_at")} as "startedAt",
          ${instant(sql, "ended_at")} as "endedAt", time_zone as "timeZone",
          trim_scale(body_weight_kg) as "bodyWeightKg", notes,
          (select index from plan_indexes where plan_indexes.id = plan_id) as plan,
          plan_name as "planName",
          (select index from routine_indexes where routine_indexes.id = routine_id) as routine,
          routine_name as "routineName", encode(import_key, 'hex') as "importKey",
          ${instant(sql, "deleted_at")} as "deletedAt", (
            select coalesce(json_agg(row_to_json(part)), '[]') from (
              select ${reference(sql)} as exercise, exercise_name as name, mode, targets,
                superset_group as "supersetGroup", notes, (
                  select coalesce(json_agg(row_to_json(performed)), '[]') from (
                    select type, trim_scale(weight) as weight, weight_unit as "weightUnit", reps,
                      time_s as "timeS", distance_m as "distanceM", trim_scale(rpe) as rpe, rir,
                      rest_s as "restS", ${instant(sql, "completed_at")} as "completedAt", note
                    from workout_sets
                    where workout_exercise_id = workout_exercises.id
                    order by position, id
                  ) as performed
                ) as sets
              from workout_exercises
              where workout_id = workouts.id
              order by position, id
            ) as part
          ) as exercises,
          ${times("workouts")}
      ) as entry
      where user_id = ${userId}
    ) as workouts`;
  return lists as Record<keyof typeof LISTS, string>;
}

const namesOf = (sql: Db["sql"], catalog: string, ids: string): Fragment => sql`
  array(
    select ${sql(catalog)}.name from ${sql(catalog)}
    where ${sql(catalog)}.id = any (${sql(ids)})
    order by ${sql(catalog)}.name
  )`;

/**
 * The exercise of a row: an index among the own exercises, or the slug of a system exercise; null
 * for other users' exercises, of which only the name is exported.
 */
const reference = (sql: Db["sql"]): Fragment => sql`
  coalesce(
    (
      select json_build_object('own', index) from exercise_indexes
      where exercise_indexes.id = exercise_id
    ),
    (
      select json_build_object('system', slug) from exercises as system_exercise
      where system_exercise.id = exercise_id and owner_id is null
    )
  )`;
