import type { Db } from "#db/client.ts";
import { AppError, type FieldError, idsNotFound, listOfIds } from "#lib/errors.ts";
import { cursorPage, decodeCursor } from "../http/cursor.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Actor } from "../permissions/actor.ts";
import { type LockedWorkout, lockWorkout } from "../permissions/parent-locks.queries.ts";
import { isReadableRoutine } from "../routines/routines.queries.ts";
import { setErrors } from "./sets.rules.ts";
import {
  type ExerciseRow,
  insertWorkout,
  type SetRow,
  updateWorkout,
  type WorkoutChange,
} from "./workout-writes.queries.ts";
import { findWorkoutJson, listWorkouts } from "./workouts.queries.ts";
import type {
  ListWorkouts,
  NewSet,
  NewWorkout,
  NewWorkoutExercise,
  WorkoutPatch,
} from "./workouts.schemas.ts";

export const workoutNotFound = () =>
  new AppError("not_found", "workouts.not_found", "Workout not found");

/** The workout as JSON. Owner only. Throws not_found, also for a workout in the trash. */
export async function getWorkout(db: Db, actor: Actor, workoutId: string): Promise<string> {
  const json = await findWorkoutJson(db, actor.userId, workoutId);
  if (json === undefined) throw workoutNotFound();
  return json;
}

/**
 * Starts a workout, or records a finished one if `endedAt` is given, and returns it as JSON. Throws
 * invalid if a set does not fit its exercise or the workout ends before it starts; not_found for a
 * routine or exercise that does not exist, except for an exercise with a name to store instead;
 * conflict (`workouts.id_taken`).
 */
export async function startWorkout(
  db: Db,
  actor: Actor,
  { exercises, ...workout }: NewWorkout,
): Promise<string> {
  const rows = exercises && rowsOf(exercises);
  return db.transaction(async (tx) => {
    const { routineId, planId } = workout;
    if (routineId && !(await isReadableRoutine(tx, actor.userId, routineId, planId))) {
      throw new AppError("not_found", "routines.not_found", "Routine not found");
    }
    if (planId && !routineId) {
      const detail = "Say which routine of the plan";
      throw new AppError("invalid", "workouts.plan_without_routine", detail);
    }
    const row = {
      id: workout.id ?? null,
      name: workout.name ?? null,
      status: workout.status ?? null,
      planId: planId ?? null,
      routineId: routineId ?? null,
      startedAt: workout.startedAt ?? null,
      endedAt: workout.endedAt ?? null,
      timeZone: workout.timeZone,
      bodyWeightKg: workout.bodyWeightKg ?? null,
      notes: workout.notes ?? null,
    };
    const sets = rows?.sets ?? [];
    const { id, missing } = await insertWorkout(tx, actor.userId, row, rows?.exercises, sets);
    requireExercises(missing, exercises ?? []);
    return getWorkout(tx, actor, id as string);
  });
}

/** One page of the actor's summaries as JSON, the latest start first, with the next cursor. */
export async function listPage(db: Db, actor: Actor, query: ListWorkouts): Promise<string> {
  const { cursor, pageSize = 20, ...filter } = query;
  const after = decodeCursor(cursor);
  const workouts = await listWorkouts(db, actor.userId, { ...filter, after }, pageSize + 1);
  return cursorPage(workouts, pageSize);
}

/**
 * Changes the fields of a workout but not its exercises, and returns it as JSON. Owner only. Throws
 * not_found, stale as `precondition` says, invalid, conflict (`workouts.in_progress`).
 */
export function changeWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  patch: WorkoutPatch,
  precondition: Precondition,
) {
  return updateLocked(db, actor, workoutId, precondition, (stored) => {
    if (patch.endedAt !== undefined && stored.status === "in_progress") {
      const detail = "The workout is in progress: finish it first";
      throw new AppError("conflict", "workouts.in_progress", detail);
    }
    return patch;
  });
}

/** Ends a workout, by default now. Owner only. Throws conflict (`workouts.not_in_progress`). */
export function endWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  status: "completed" | "aborted",
  endedAt: string | undefined,
  precondition: Precondition,
) {
  return updateLocked(db, actor, workoutId, precondition, (stored) => {
    if (stored.status !== "in_progress") {
      throw new AppError("conflict", "workouts.not_in_progress", "The workout is over already");
    }
    return { status, endedAt: endedAt ?? "now" };
  });
}

/** Resumes a finished workout. Owner only. Throws conflict (`workouts.in_progress`). */
export function reopenWorkout(db: Db, actor: Actor, workoutId: string, precondition: Precondition) {
  return updateLocked(db, actor, workoutId, precondition, (stored) => {
    if (stored.status === "in_progress") {
      throw new AppError("conflict", "workouts.in_progress", "The workout is in progress");
    }
    return { status: "in_progress", endedAt: null };
  });
}

/** Moves a workout to the trash, from which it can be restored for 30 days. Owner only. */
export function trashWorkout(db: Db, actor: Actor, workoutId: string, precondition: Precondition) {
  return updateLocked(db, actor, workoutId, precondition, () => ({ isDeleted: true }));
}

/** Restores a workout from the trash. Owner only. Throws not_found if it is not there. */
export function restoreWorkout(db: Db, actor: Actor, workoutId: string): Promise<string> {
  return db.transaction(async (tx) => {
    const stored = await lockWorkout(tx, actor.userId, workoutId);
    if (!stored?.isDeleted) throw workoutNotFound();
    return updateWorkout(tx, workoutId, { isDeleted: false });
  });
}

/** Locks a workout, applies the change that `decide` returns, and returns it as JSON. */
function updateLocked(
  db: Db,
  actor: Actor,
  workoutId: string,
  precondition: Precondition,
  decide: (stored: LockedWorkout) => WorkoutChange,
): Promise<string> {
  return db.transaction(async (tx) => {
    const stored = await lockWorkout(tx, actor.userId, workoutId);
    if (!stored || stored.isDeleted) throw workoutNotFound();
    await precondition(stored.version, () => getWorkout(tx, actor, workoutId));
    const change = decide(stored);
    return Object.keys(change).length === 0
      ? getWorkout(tx, actor, workoutId)
      : updateWorkout(tx, workoutId, change);
  });
}

/**
 * Throws not_found if any exercise is `missing`; `pathOf` returns the JSON pointer of the exercise
 * at an index of `exercises`.
 */
export function requireExercises(
  missing: string[],
  exercises: Pick<NewWorkoutExercise, "exerciseId">[],
  pathOf = (index: number) => `/exercises/${index}`,
): void {
  if (missing.length === 0) return;
  const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
  const fields = exercises.map(({ exerciseId: id }, index) => ({
    field: `${pathOf(index)}/exerciseId`,
    id,
  }));
  throw idsNotFound("workouts.exercise_not_found", detail, missing, fields);
}

/**
 * Exercises and their sets as rows in the same order, with positions from 1. Throws invalid with
 * the errors of all of them.
 */
export function rowsOf(exercises: NewWorkoutExercise[]): {
  exercises: ExerciseRow[];
  sets: SetRow[];
} {
  const errors = exercises.flatMap((exercise, index) =>
    exerciseErrors(exercise, `/exercises/${index}`),
  );
  if (errors.length > 0) throw invalidEntries(errors);
  return {
    exercises: exercises.map((exercise, index) => exerciseRow(exercise, index + 1)),
    sets: exercises.flatMap(({ sets = [] }, exercise) =>
      sets.map((set, index) => setRow(set, exercise + 1, index + 1)),
    ),
  };
}

/** The errors of an exercise and its sets, with fields under `path`. */
export function exerciseErrors(exercise: NewWorkoutExercise, path: string): FieldError[] {
  const isNamed = exercise.exerciseId || exercise.exerciseName;
  const unnamed = {
    field: `${path}/exerciseId`,
    code: "required",
    message: "Give exerciseId or exerciseName",
  };
  const sets = exercise.sets ?? [];
  return [
    ...(isNamed ? [] : [unnamed]),
    ...sets.flatMap((set, index) => setErrors(exercise.mode, set, `${path}/sets/${index}`)),
  ];
}

export const invalidEntries = (errors: FieldError[]) =>
  new AppError("invalid", "invalid_request", "What was logged does not fit", {
    errors: errors.slice(0, 100),
  });

export const exerciseRow = (exercise: NewWorkoutExercise, position: number): ExerciseRow => ({
  id: exercise.id ?? null,
  position,
  exercise_id: exercise.exerciseId ?? null,
  exercise_name: exercise.exerciseName ?? null,
  mode: exercise.mode,
  superset_group: exercise.supersetGroup ?? null,
  notes: exercise.notes ?? null,
  targets: exercise.targets ?? null,
  keeps_name: false,
});

export const setRow = (set: NewSet, exercise: number, position: number): SetRow => ({
  id: set.id ?? null,
  exercise,
  position,
  type: set.type ?? "working",
  weight: set.weight ?? null,
  weight_unit: set.weightUnit ?? null,
  reps: set.reps ?? null,
  time_s: set.timeS ?? null,
  distance_m: set.distanceM ?? null,
  rpe: set.rpe ?? null,
  rir: set.rir ?? null,
  rest_s: set.restS ?? null,
  completed_at: set.completedAt ?? null,
  note: set.note ?? null,
});
