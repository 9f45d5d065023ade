import type { Db } from "#db/client.ts";
import type { Actor } from "../actor.ts";
import { AppError } from "../errors.ts";
import type { Precondition } from "../http/precondition.ts";
import { faultsOfSet } from "./sets.rules.ts";
import {
  deleteExerciseEntry,
  deleteSet,
  insertEntry,
  insertSets,
  type LockedExercise,
  type LockedSet,
  lockForExercise,
  lockForSet,
  replaceSet,
  updateExerciseEntry,
} from "./workout-sets.queries.ts";
import type { NewSet, NewWorkoutExercise, SetPatch, WorkoutExercisePatch } from "./workouts.schemas.ts";
import {
  exerciseRow,
  faultsOfExercise,
  getWorkout,
  misfit,
  requireExercises,
  setRow,
  workoutNotFound,
} from "./workouts.service.ts";

const MOST_EXERCISES = 200;

/**
 * Adds an exercise at the end of a workout, with its sets, and returns the workout as JSON. Owner only. Throws conflict
 * (`workouts.finished`) when the workout is over, not_found, invalid.
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
  return onExercise(db, actor, workoutId, null, precondition, async (tx, { count }) => {
    if (count >= MOST_EXERCISES) {
      throw new AppError(
        "conflict",
        "workouts.too_many_exercises",
        `A workout has at most ${MOST_EXERCISES} exercises`,
      );
    }
    const position = count + 1;
    const sets = (given.sets ?? []).map((set, at) => setRow(set, position, at + 1));
    const missing = await insertEntry(tx, actor.userId, workoutId, exerciseRow(given, position), sets);
    requireExercises(missing, [given], () => "");
    return getWorkout(tx, actor, workoutId);
  });
}

/** Changes or moves an exercise of a workout, and returns the workout as JSON. Owner only. Throws as adding does. */
export function changeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: { workoutId: string; workoutExerciseId: string },
  patch: WorkoutExercisePatch,
  precondition: Precondition,
): Promise<string> {
  return onExercise(db, actor, workoutId, workoutExerciseId, precondition, async (tx, { position, count }) => {
    if (Object.keys(patch).length > 0) {
      await updateExerciseEntry(tx, workoutId, workoutExerciseId, patch, { from: position, count });
    }
    return getWorkout(tx, actor, workoutId);
  });
}

/** Removes an exercise of a workout, with its sets. Owner only. Throws as adding does. */
export function removeExercise(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: { workoutId: string; workoutExerciseId: string },
  precondition: Precondition,
): Promise<void> {
  return onExercise(db, actor, workoutId, workoutExerciseId, precondition, (tx) =>
    deleteExerciseEntry(tx, workoutId, workoutExerciseId),
  );
}

/** Logs one set at the end of an exercise and returns it as JSON. Owner only. Throws conflict (`workouts.finished`). */
export function logSet(
  db: Db,
  actor: Actor,
  { workoutId, workoutExerciseId }: { workoutId: string; workoutExerciseId: string },
  given: NewSet,
  precondition: Precondition,
): Promise<string> {
  return onExercise(db, actor, workoutId, workoutExerciseId, precondition, async (tx, { mode }) => {
    const faults = faultsOfSet(mode, given, "");
    if (faults.length > 0) throw misfit(faults);
    const [logged] = await insertSets(tx, workoutId, { id: workoutExerciseId, mode }, [setRow(given, 1, 1)]);
    return logged as string;
  });
}

/** Changes or moves a set and returns it as JSON. Owner only. Throws as logging does. */
export function changeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: { workoutId: string; setId: string },
  patch: SetPatch,
  precondition: Precondition,
): Promise<string> {
  return onSet(db, actor, workoutId, setId, precondition, async (tx, stored) => {
    if (Object.keys(patch).length === 0) return stored.set;
    const set = { ...(JSON.parse(stored.set) as NewSet), ...patch };
    const faults = faultsOfSet(stored.mode, set, "");
    if (faults.length > 0) throw misfit(faults);
    return replaceSet(tx, workoutId, setId, setRow(set, 1, patch.position ?? stored.position), stored.position);
  });
}

/** Removes a set. Owner only. Throws as logging does. */
export function removeSet(
  db: Db,
  actor: Actor,
  { workoutId, setId }: { workoutId: string; setId: string },
  precondition: Precondition,
): Promise<void> {
  return onSet(db, actor, workoutId, setId, precondition, (tx) => deleteSet(tx, workoutId, setId));
}

function onExercise<T>(
  db: Db,
  actor: Actor,
  workoutId: string,
  entryId: string | null,
  precondition: Precondition,
  work: (tx: Db, locked: LockedExercise) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const locked = await lockForExercise(tx, actor.userId, workoutId, entryId);
    if (!locked) throw workoutNotFound();
    if (entryId !== null && locked.exerciseEntryId === null) {
      throw new AppError("not_found", "workouts.exercise_not_found", "Exercise of the workout not found");
    }
    await precondition(locked.version, () => getWorkout(tx, actor, workoutId));
    requireInProgress(locked.status);
    return work(tx, locked);
  });
}

function onSet<T>(
  db: Db,
  actor: Actor,
  workoutId: string,
  setId: string,
  precondition: Precondition,
  work: (tx: Db, locked: LockedSet) => Promise<T>,
): Promise<T> {
  return db.transaction(async (tx) => {
    const locked = await lockForSet(tx, actor.userId, workoutId, setId);
    if (!locked) throw workoutNotFound();
    if (locked.setId === null) throw new AppError("not_found", "workouts.set_not_found", "Set not found");
    await precondition(locked.version, () => getWorkout(tx, actor, workoutId));
    requireInProgress(locked.status);
    return work(tx, locked);
  });
}

function requireInProgress(status: string) {
  if (status === "in_progress") return;
  throw new AppError("conflict", "workouts.finished", "The workout is over: reopen it to change what was logged");
}
