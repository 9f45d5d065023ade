import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { LISTS } from "./archive.schemas.ts";

/**
 * All that `userId` has as of one moment, each list as the JSON texts of its entries, a line each
 * and a comma between: own exercises, routines and plans in the order in which they were made,
 * workouts in the order in which they began, those in the trash among them. One statement.
 */
export async function listArchived(
  { sql }: Db,
  userId: string,
): Promise<Record<keyof typeof LISTS, string>> {
  const places = (table: string, order: string) =>
    sql`select id, row_number() over (order by ${sql(order)}, id)::int - 1 as place from ${sql(table)} where owner_id = ${userId}`;
  const lines = (time: string, id: string) =>
    sql`coalesce(string_agg(row_to_json(shown)::text, E',\n' order by ${sql(time)}, ${sql(id)}), '')`;
  const [lists] = await sql<Record<keyof typeof LISTS, string>[]>`
    with exercise_places as (${places("exercises", "created_at")}), routine_places as (${places("routines", "created_at")}),
      plan_places as (${places("plans", "created_at")})
    select (
      select ${lines("exercises.created_at", "exercises.id")} from exercises, lateral (
        select name, category, difficulty, force, mechanic, instructions,
          ${namesOf(sql, "muscle_groups", "primary_muscle_ids")} as "primaryMuscles",
          ${namesOf(sql, "muscle_groups", "secondary_muscle_ids")} as "secondaryMuscles",
          ${namesOf(sql, "equipment", "equipment_ids")} as equipment,
          ${instant(sql, "exercises.created_at")} as "createdAt", ${instant(sql, "exercises.updated_at")} as "updatedAt"
      ) as shown where owner_id = ${userId}
    ) as exercises, (
      select ${lines("routines.created_at", "routines.id")} from routines, lateral (
        select name, description, sharing, (
          select coalesce(json_agg(row_to_json(entry)), '[]') from (
            select ${reference(sql)} as exercise, exercise_name as name, mode, sets, reps_min as "repsMin",
              reps_max as "repsMax", trim_scale(weight) as weight, weight_unit as "weightUnit", time_s as "timeS",
              distance_m as "distanceM", trim_scale(rpe) as rpe, rir, rest_s as "restS", tempo,
              superset_group as "supersetGroup", notes
            from routine_exercises where routine_id = routines.id order by position
          ) as entry
        ) as exercises, ${instant(sql, "routines.created_at")} as "createdAt", ${instant(sql, "routines.updated_at")} as "updatedAt"
      ) as shown where owner_id = ${userId}
    ) as routines, (
      select ${lines("plans.created_at", "plans.id")} from plans, lateral (
        select name, description, difficulty, sharing, weeks, (
          select coalesce(json_agg(row_to_json(entry)), '[]') from (
            select place as routine, day, position from plan_routines join routine_places on routine_places.id = routine_id
            where plan_id = plans.id order by day, position
          ) as entry
        ) as routines, ${instant(sql, "plans.created_at")} as "createdAt", ${instant(sql, "plans.updated_at")} as "updatedAt"
      ) as shown where owner_id = ${userId}
    ) as plans, (
      select ${lines("workouts.started_at", "workouts.id")} from workouts, lateral (
        select name, status, ${instant(sql, "started_at")} as "startedAt", ${instant(sql, "ended_at")} as "endedAt",
          time_zone as "timeZone", trim_scale(body_weight_kg) as "bodyWeightKg", notes,
          (select place from plan_places where plan_places.id = plan_id) as plan, plan_name as "planName",
          (select place from routine_places where routine_places.id = routine_id) as routine, routine_name as "routineName",
          encode(import_key, 'hex') as "importKey", ${instant(sql, "deleted_at")} as "deletedAt", (
          select coalesce(json_agg(row_to_json(entry)), '[]') from (
            select ${reference(sql)} as exercise, exercise_name as name, mode, targets, superset_group as "supersetGroup",
              notes, (
                select coalesce(json_agg(row_to_json(one)), '[]') from (
                  select type, trim_scale(weight) as weight, weight_unit as "weightUnit", reps, time_s as "timeS",
                    distance_m as "distanceM", trim_scale(rpe) as rpe, rir, rest_s as "restS",
                    ${instant(sql, "completed_at")} as "completedAt", note
                  from workout_sets where workout_exercise_id = workout_exercises.id order by position, id
                ) as one
              ) as sets
            from workout_exercises where workout_id = workouts.id order by position, id
          ) as entry
        ) as exercises, ${instant(sql, "workouts.created_at")} as "createdAt", ${instant(sql, "workouts.updated_at")} as "updatedAt"
      ) as shown where user_id = ${userId}
    ) as workouts`;
  return lists as Record<keyof typeof LISTS, string>;
}

const namesOf = (sql: Db["sql"], catalog: string, ids: string): Fragment =>
  sql`array(select ${sql(catalog)}.name from ${sql(catalog)} where ${sql(catalog)}.id = any (${sql(ids)}) order by ${sql(catalog)}.name)`;

/**
 * What the row of an entry refers to: a place among one's own, or a slug; of other people's
 * exercises only the name.
 */
const reference = (sql: Db["sql"]): Fragment => sql`coalesce(
  (select json_build_object('own', place) from exercise_places where exercise_places.id = exercise_id),
  (select json_build_object('system', slug) from exercises as known where known.id = exercise_id and owner_id is null))`;
