import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { weightKg } from "../workouts/workout-writes.queries.ts";
import type { ArchiveLists } from "./archive.schemas.ts";
import { type ArchiveIds, type CatalogIds, exerciseIdOf } from "./import.queries.ts";

/**
 * Inserts workouts with their exercises and sets. They may be longer than seven days, because older
 * archives contain such workouts. Breaks the constraints that writing a workout breaks. One
 * statement.
 */
export async function insertWorkouts(
  { sql }: Db,
  userId: string,
  workouts: ArchiveLists["workouts"],
  ids: ArchiveIds,
  catalog: CatalogIds,
): Promise<void> {
  const rows: object[] = [];
  const exerciseRows: object[] = [];
  const setRows: object[] = [];
  for (const { exercises, plan, routine, ...workout } of workouts) {
    const workoutId = Bun.randomUUIDv7();
    rows.push({
      ...workout,
      id: workoutId,
      plan: plan === null ? null : ids.plans[plan],
      routine: routine === null ? null : ids.routines[routine],
    });
    for (const [index, { sets, exercise, ...fields }] of exercises.entries()) {
      const exerciseRowId = Bun.randomUUIDv7();
      exerciseRows.push({
        ...fields,
        id: exerciseRowId,
        workout: workoutId,
        position: index + 1,
        exercise: exerciseIdOf(exercise, ids, catalog),
      });
      for (const [setIndex, set] of sets.entries()) {
        const position = setIndex + 1;
        setRows.push({ ...set, workout_exercise: exerciseRowId, mode: fields.mode, position });
      }
    }
  }
  await sql`
    with inserted as (
      insert into workouts (id, user_id, name, status, started_at, ended_at, time_zone,
        body_weight_kg, notes, plan_id, plan_name, routine_id, routine_name, import_key,
        deleted_at, created_at, updated_at, is_length_exempt)
      select id, ${userId}::uuid, name, status, "startedAt", "endedAt", "timeZone",
        "bodyWeightKg", notes, plan, "planName", routine, "routineName",
        decode("importKey", 'hex'), "deletedAt", "createdAt", "updatedAt",
        coalesce("endedAt" - "startedAt" > interval '7 days', false)
      from json_to_recordset(${JSON.stringify(rows)}::text::json) as entry (
        id uuid, name text, status text, "startedAt" timestamptz, "endedAt" timestamptz,
        "timeZone" text, "bodyWeightKg" numeric, notes text, plan uuid, "planName" text,
        routine uuid, "routineName" text, "importKey" text, "deletedAt" timestamptz,
        "createdAt" timestamptz, "updatedAt" timestamptz
      )
      returning id
    ), inserted_exercises as (
      insert into workout_exercises (id, workout_id, position, exercise_id, exercise_name, mode,
        targets, superset_group, notes)
      select id, workout, position, exercise, name, mode, targets, "supersetGroup", notes
      from json_to_recordset(${JSON.stringify(exerciseRows)}::text::json) as entry (
        id uuid, workout uuid, position smallint, exercise uuid, name text, mode text,
        targets jsonb, "supersetGroup" smallint, notes text
      )
      where workout in (select id from inserted)
      returning id
    )
    insert into workout_sets (workout_exercise_id, mode, position, type, weight, weight_unit,
      weight_kg, reps, time_s, distance_m, rpe, rir, rest_s, completed_at, note)
    select workout_exercise, mode, position, type, weight, weight_unit, ${weightKg(sql)}, reps,
      "timeS", "distanceM", rpe, rir, "restS", "completedAt", note
    from ${listedSets(sql, setRows)}
    where workout_exercise in (select id from inserted_exercises)`;
}

/** Sets as rows, with the unit in the column that `weightKg` reads. */
const listedSets = (sql: Db["sql"], sets: object[]): Fragment => sql`(
  select *, "weightUnit" as weight_unit
  from json_to_recordset(${JSON.stringify(sets)}::text::json) as entry (
    workout_exercise uuid, mode text, position smallint, type text, weight numeric,
    "weightUnit" text, reps smallint, "timeS" integer, "distanceM" integer, rpe numeric,
    rir smallint, "restS" integer, "completedAt" timestamptz, note text
  )
) as listed`;
