import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockWorkout } from "../permissions/parent-locks.queries.ts";
import { fittingModes, setErrors } from "./sets.rules.ts";
import {
  deleteWorkoutExercise,
  hasWorkoutExercise,
  insertWorkoutExercise,
  updateWorkoutExercise,
} from "./workout-exercises.queries.ts";
import { deleteSet, findSet, insertSet, replaceSet } from "./workout-sets.queries.ts";
import type {
  NewSet,
  NewWorkoutExercise,
  SetPatch,
  WorkoutExercisePatch,
} from "./workouts.schemas.ts";
import {
  exerciseErrors,
  exerciseRow,
  getWorkout,
  invalidEntries,
  requireExercises,
  setRow,
  workoutNotFound,
} from "./workouts.service.ts";

const MAX_EXERCISES = 200;
const MAX_SETS = 500;

type ExercisePath = { workoutId: string; workoutExerciseId: string };
type SetPath = { workoutId: string; setId: string };

/**
 * Adds an exercise with its sets at the end of a workout, and returns the workout as JSON. Owner
 * only. Throws conflict if the workout is finished (`workouts.finished`) or full
 * (`workouts.too_many_exercises`), not_found, invalid.
 */
export function addExercise(
  db: Db,
  actor: Actor,
  workoutId: string,
  exercise: NewWorkoutExercise,
  precondition: Precondition,
): Promise<string> {
  const errors = exerciseErrors(exercise, "");
  if (errors.length > 0) throw invalidEntries(errors);
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    const { isFull, missing } = await insertWorkoutExercise(tx, actor.userId, workoutId, {
      exercise: exerciseRow(exercise, 1),
      sets: (exercise.sets ?? []).map((set, index) => setRow(set, 1, index + 1)),
      max: MAX_EXERCISES,
    });
    if (isFull) {
      const detail = `A workout has at most ${MAX_EXERCISES} exercises`;
      throw new AppError("conflict", "workouts.too_many_exercises", detail);
    }
    requireExercises(missing, [exercise], () => "");
    return getWorkout(tx, actor, workoutId);
  });
}

/**
 * Changes or moves an exercise of a workout, and returns the workout as JSON. Owner only. Throws
 * not_found, and conflict (`workouts.finished`).
 */
export function changeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: ExercisePath,
  patch: WorkoutExercisePatch,
  precondition: Precondition,
): Promise<string> {
  const isEmpty = Object.keys(patch).length === 0;
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    const exists = isEmpty
      ? await hasWorkoutExercise(tx, workoutId, workoutExerciseId)
      : await updateWorkoutExercise(tx, workoutId, workoutExerciseId, patch);
    if (!exists) throw exerciseNotFound();
    return getWorkout(tx, actor, workoutId);
  });
}

/** Removes an exercise of a workout with its sets. Owner only. Throws as `changeExercise` does. */
export function removeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: ExercisePath,
  precondition: Precondition,
): Promise<void> {
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    if (!(await deleteWorkoutExercise(tx, workoutId, workoutExerciseId))) throw exerciseNotFound();
  });
}

/**
 * Logs one set at the end of an exercise and returns it as JSON. Owner only. Throws conflict if the
 * workout is finished (`workouts.finished`) or the exercise is full (`workouts.too_many_sets`),
 * not_found, invalid.
 */
export function logSet(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: ExercisePath,
  set: NewSet,
  precondition: Precondition,
): Promise<string> {
  const limits = { modes: fittingModes(set), max: MAX_SETS };
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    const inserted = await insertSet(tx, workoutId, workoutExerciseId, setRow(set, 1, 1), limits);
    if (!inserted) throw exerciseNotFound();
    const errors = setErrors(inserted.mode, set, "");
    if (errors.length > 0) throw invalidEntries(errors);
    if (inserted.isFull) {
      const detail = `An exercise of a workout has at most ${MAX_SETS} sets`;
      throw new AppError("conflict", "workouts.too_many_sets", detail);
    }
    return inserted.json as string;
  });
}

/** Changes or moves a set and returns it as JSON. Owner only. Throws as `logSet` does. */
export function changeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: SetPath,
  patch: SetPatch,
  precondition: Precondition,
): Promise<string> {
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    const stored = await findSet(tx, workoutId, setId);
    if (!stored) throw setNotFound();
    if (Object.keys(patch).length === 0) return stored.json;
    const set = { ...(JSON.parse(stored.json) as NewSet), ...patch };
    const errors = setErrors(stored.mode, set, "");
    if (errors.length > 0) throw invalidEntries(errors);
    return replaceSet(tx, workoutId, setId, setRow(set, 1, 1), patch.position ?? null);
  });
}

/** Removes a set. Owner only. Throws not_found, and conflict (`workouts.finished`). */
export function removeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: SetPath,
  precondition: Precondition,
): Promise<void> {
  return changeParts(db, actor, workoutId, precondition, async (tx) => {
    if (!(await deleteSet(tx, workoutId, setId))) throw setNotFound();
  });
}

/**
 * Runs `work` while a workout in progress is locked. Throws not_found, stale as `precondition`
 * says, conflict (`workouts.finished`).
 */
function changeParts<T>(
  db: Db,
  actor: Actor,
  workoutId: string,
  precondition: Precondition,
  work: (tx: Db) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const locked = await lockWorkout(tx, actor.userId, workoutId);
    if (!locked || locked.isDeleted) throw workoutNotFound();
    await precondition(locked.version, () => getWorkout(tx, actor, workoutId));
    if (locked.status !== "in_progress") {
      const detail = "The workout is over: reopen it to change what was logged";
      throw new AppError("conflict", "workouts.finished", detail);
    }
    return work(tx);
  });
}

const exerciseNotFound = () =>
  new AppError("not_found", "workouts.exercise_not_found", "Exercise of the workout not found");
const setNotFound = () => new AppError("not_found", "workouts.set_not_found", "Set not found");
