import { type CopyBuffer, createCopyBuffer, numericBytes, textBytes } from "#db/copy.ts";

/** Buffers for the rows of workouts. */
export type WorkoutTables = { workouts: CopyBuffer; exercises: CopyBuffer; sets: CopyBuffer };

export const createWorkoutTables = (): WorkoutTables => ({
  workouts: createCopyBuffer("workouts", [
    "id",
    "user_id",
    "plan_id",
    "plan_name",
    "routine_id",
    "routine_name",
    "name",
    "status",
    "started_at",
    "ended_at",
    "time_zone",
    "body_weight_kg",
    "created_at",
    "updated_at",
  ]),
  exercises: createCopyBuffer("workout_exercises", [
    "id",
    "workout_id",
    "position",
    "exercise_id",
    "exercise_name",
    "mode",
    "targets",
  ]),
  sets: createCopyBuffer("workout_sets", [
    "id",
    "workout_exercise_id",
    "mode",
    "position",
    "type",
    "weight",
    "weight_unit",
    "weight_kg",
    "reps",
    "time_s",
    "distance_m",
    "rpe",
    "rest_s",
    "completed_at",
  ]),
});

export const WORDS = {
  kg: textBytes("kg"),
  lb: textBytes("lb"),
  reps: textBytes("reps"),
  time: textBytes("time"),
  distance: textBytes("distance"),
  warmup: textBytes("warmup"),
  working: textBytes("working"),
  failure: textBytes("failure"),
  completed: textBytes("completed"),
  aborted: textBytes("aborted"),
};

type Load = { weight: Uint8Array; weightKg: Uint8Array };

const loads = { kg: [] as Load[], lb: [] as Load[] };

/** A weight as entered (a multiple of half a unit) and in kilograms, as binary column values. */
export function loadOf(weight: number, unit: "kg" | "lb"): Load {
  const cached = loads[unit][weight * 2];
  if (cached) return cached;
  const entered = weight * 10_000;
  // 0.45359237 kg per pound, in integers, so that the value is exact before it is rounded.
  const kg = unit === "kg" ? entered : Math.round((weight * 2 * 45_359_237) / 20_000);
  const load = { weight: numericBytes(entered, 3), weightKg: numericBytes(kg, 4) };
  loads[unit][weight * 2] = load;
  return load;
}

const efforts = Array.from({ length: 21 }, (_, halves) => numericBytes(halves * 5000, 1));

/** A rating of perceived exertion from 0 to 10, a multiple of 0.5, as a binary column value. */
export const effortOf = (rpe: number): Uint8Array => efforts[rpe * 2] as Uint8Array;
