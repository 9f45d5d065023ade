import { type CopyBuffer, createCopyBuffer, numericBytes, textBytes } from "#db/copy.ts";

/** The rows of a workout, per table, until they are sent. */
export type WorkoutTables = { workouts: CopyBuffer; exercises: CopyBuffer; sets: CopyBuffer };

export const createWorkoutTables = (): WorkoutTables => ({
  workouts: createCopyBuffer("workouts", [
    ...[
      "id",
      "user_id",
      "plan_id",
      "plan_name",
      "routine_id",
      "routine_name",
      "name",
      "status",
      "started_at",
    ],
    ...["ended_at", "time_zone", "body_weight_kg", "created_at", "updated_at"],
  ]),
  exercises: createCopyBuffer("workout_exercises", [
    ...["id", "workout_id", "position", "exercise_id", "exercise_name", "mode", "targets"],
  ]),
  sets: createCopyBuffer("workout_sets", [
    ...[
      "id",
      "workout_exercise_id",
      "mode",
      "position",
      "type",
      "weight",
      "weight_unit",
      "weight_kg",
      "reps",
    ],
    ...["time_s", "distance_m", "rpe", "rest_s", "completed_at"],
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

/**
 * A weight as entered, a whole multiple of half a unit, and in kilograms, as their columns take
 * them.
 */
export function loadOf(weight: number, unit: "kg" | "lb"): Load {
  const known = loads[unit][weight * 2];
  if (known) return known;
  const entered = weight * 10_000;
  // 0.45359237 kg to the pound, in whole numbers: exact until it is rounded.
  const kg = unit === "kg" ? entered : Math.round((weight * 2 * 45_359_237) / 20_000);
  const load = { weight: numericBytes(entered, 3), weightKg: numericBytes(kg, 4) };
  loads[unit][weight * 2] = load;
  return load;
}

const efforts = Array.from({ length: 21 }, (_, halves) => numericBytes(halves * 5000, 1));

/** A rate of perceived exertion from 0 to 10, a whole multiple of a half. */
export const effortOf = (rpe: number): Uint8Array => efforts[rpe * 2] as Uint8Array;
