import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Precondition } from "../http/precondition.ts";
import type { Actor } from "../permissions/actor.ts";
import { lockWorkout } from "../permissions/parent-locks.queries.ts";
import { faultsOfSet, modesFitting } from "./sets.rules.ts";
import {
  deleteExerciseEntry,
  deleteSet,
  findSet,
  hasEntry,
  insertEntry,
  insertSet,
  replaceSet,
  updateExerciseEntry,
} from "./workout-sets.queries.ts";
import type {
  NewSet,
  NewWorkoutExercise,
  SetPatch,
  WorkoutExercisePatch,
} from "./workouts.schemas.ts";
import {
  exerciseRow,
  faultsOfExercise,
  getWorkout,
  misfit,
  requireExercises,
  setRow,
  workoutNotFound,
} from "./workouts.service.ts";

const MAX_EXERCISES = 200;
const MAX_SETS = 500;

type EntryOf = { workoutId: string; workoutExerciseId: string };
type SetOf = { workoutId: string; setId: string };

/**
 * Adds an exercise at the end of a workout, with its sets, and returns the workout as JSON. Owner
 * only. Throws conflict when the workout is over (`workouts.finished`) or full
 * (`workouts.too_many_exercises`), not_found, invalid.
 */
export function addExercise(
  db: Db,
  actor: Actor,
  workoutId: string,
  given: NewWorkoutExercise,
  precondition: Precondition,
): Promise<string> {
  const faults = faultsOfExercise(given, "");
  if (faults.length > 0) throw misfit(faults);
  const entry = exerciseRow(given, 1);
  const sets = (given.sets ?? []).map((set, at) => setRow(set, 1, at + 1));
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    const { isFull, missing } = await insertEntry(tx, actor.userId, workoutId, {
      entry,
      sets,
      most: MAX_EXERCISES,
    });
    if (isFull) {
      const detail = `A workout has at most ${MAX_EXERCISES} exercises`;
      throw new AppError("conflict", "workouts.too_many_exercises", detail);
    }
    requireExercises(missing, [given], () => "");
    return getWorkout(tx, actor, workoutId);
  });
}

/**
 * Changes or moves an exercise of a workout, and returns the workout as JSON. Owner only. Throws as
 * adding does.
 */
export function changeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: EntryOf,
  patch: WorkoutExercisePatch,
  precondition: Precondition,
): Promise<string> {
  const isEmpty = Object.keys(patch).length === 0;
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    const isThere = isEmpty
      ? await hasEntry(tx, workoutId, workoutExerciseId)
      : await updateExerciseEntry(tx, workoutId, workoutExerciseId, patch);
    if (!isThere) throw exerciseNotFound();
    return getWorkout(tx, actor, workoutId);
  });
}

/** Removes an exercise of a workout, with its sets. Owner only. Throws as adding does. */
export function removeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: EntryOf,
  precondition: Precondition,
): Promise<void> {
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    if (!(await deleteExerciseEntry(tx, workoutId, workoutExerciseId))) throw exerciseNotFound();
  });
}

/**
 * Logs one set at the end of an exercise and returns it as JSON. Owner only. Throws conflict when
 * the workout is over (`workouts.finished`) or the exercise is full (`workouts.too_many_sets`),
 * not_found, invalid.
 */
export function logSet(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: EntryOf,
  given: NewSet,
  precondition: Precondition,
): Promise<string> {
  const limits = { modes: modesFitting(given), most: MAX_SETS };
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    const logged = await insertSet(tx, workoutId, workoutExerciseId, setRow(given, 1, 1), limits);
    if (!logged) throw exerciseNotFound();
    const faults = faultsOfSet(logged.mode, given, "");
    if (faults.length > 0) throw misfit(faults);
    if (logged.isFull) {
      const detail = `An exercise of a workout has at most ${MAX_SETS} sets`;
      throw new AppError("conflict", "workouts.too_many_sets", detail);
    }
    return logged.json as string;
  });
}

/** Changes or moves a set and returns it as JSON. Owner only. Throws as logging does. */
export function changeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: SetOf,
  patch: SetPatch,
  precondition: Precondition,
): Promise<string> {
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    const stored = await findSet(tx, workoutId, setId);
    if (!stored) throw setNotFound();
    if (Object.keys(patch).length === 0) return stored.json;
    const set = { ...(JSON.parse(stored.json) as NewSet), ...patch };
    const faults = faultsOfSet(stored.mode, set, "");
    if (faults.length > 0) throw misfit(faults);
    return replaceSet(tx, workoutId, setId, setRow(set, 1, 1), patch.position ?? null);
  });
}

/** Removes a set. Owner only. Throws as logging does. */
export function removeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: SetOf,
  precondition: Precondition,
): Promise<void> {
  return onParts(db, actor, workoutId, precondition, async (tx) => {
    if (!(await deleteSet(tx, workoutId, setId))) throw setNotFound();
  });
}

/**
 * Runs `work` on the parts of a workout in progress while the workout is locked. Throws not_found,
 * stale, conflict.
 */
function onParts<T>(
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
      throw new AppError(
        "conflict",
        "workouts.finished",
        "The workout is over: reopen it to change what was logged",
      );
    }
    return work(tx);
  });
}

const exerciseNotFound = () =>
  new AppError("not_found", "workouts.exercise_not_found", "Exercise of the workout not found");
const setNotFound = () => new AppError("not_found", "workouts.set_not_found", "Set not found");
