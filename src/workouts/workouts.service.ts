import type { Db } from "#db/client.ts";
import { AppError, type FieldError, idsNotFound, listOfIds } from "#lib/errors.ts";
import { cursorPage, decodeCursor } from "../http/cursor.ts";
import type { Precondition } from "../http/precondition.ts";
import type { Actor } from "../permissions/actor.ts";
import { type LockedWorkout, lockWorkout } from "../permissions/parent-locks.queries.ts";
import { isReadableRoutine } from "../routines/routines.queries.ts";
import { faultsOfSet } from "./sets.rules.ts";
import {
  type ExerciseRow,
  findWorkoutJson,
  insertWorkout,
  listWorkouts,
  type SetRow,
  updateWorkout,
  type WorkoutChange,
} from "./workouts.queries.ts";
import type {
  ListWorkouts,
  NewSet,
  NewWorkout,
  NewWorkoutExercise,
  WorkoutPatch,
} from "./workouts.schemas.ts";

export const workoutNotFound = () =>
  new AppError("not_found", "workouts.not_found", "Workout not found");

/**
 * The workout as JSON. Owner only; throws not_found for anyone else's, and for what is in the
 * trash.
 */
export async function getWorkout(db: Db, actor: Actor, workoutId: string): Promise<string> {
  const json = await findWorkoutJson(db, actor.userId, workoutId);
  if (json === undefined) throw workoutNotFound();
  return json;
}

/**
 * Starts a workout, or writes a whole one that is over when `endedAt` is given, and returns it as
 * JSON. Throws invalid when a set does not fit its exercise, or it ends before it starts; not_found
 * for a routine or exercise that is not there, unless an exercise comes with a name to keep
 * instead; conflict (`workouts.id_taken`).
 */
export async function startWorkout(db: Db, actor: Actor, given: NewWorkout): Promise<string> {
  const { exercises, ...workout } = given;
  const rows = exercises && rowsOf(exercises);
  return db.transaction(async (tx) => {
    const { routineId, planId } = workout;
    if (routineId && !(await isReadableRoutine(tx, actor.userId, routineId, planId))) {
      throw new AppError("not_found", "routines.not_found", "Routine not found");
    }
    if (planId && !routineId)
      throw new AppError(
        "invalid",
        "workouts.plan_without_routine",
        "Say which routine of the plan",
      );
    const row = {
      id: workout.id ?? null,
      name: workout.name ?? null,
      status: workout.status ?? null,
      planId: workout.planId ?? null,
      routineId: workout.routineId ?? null,
      startedAt: workout.startedAt ?? null,
      endedAt: workout.endedAt ?? null,
      timeZone: workout.timeZone,
      bodyWeightKg: workout.bodyWeightKg ?? null,
      notes: workout.notes ?? null,
    };
    const { id, missing } = await insertWorkout(
      tx,
      actor.userId,
      row,
      rows?.exercises,
      rows?.sets ?? [],
    );
    requireExercises(missing, exercises ?? []);
    return getWorkout(tx, actor, id as string);
  });
}

/**
 * One page of summaries as JSON, the latest start first, with the cursor of the next page. Owner
 * only.
 */
export async function listPage(db: Db, actor: Actor, query: ListWorkouts): Promise<string> {
  const { cursor, pageSize = 20, ...filter } = query;
  const found = await listWorkouts(
    db,
    actor.userId,
    { ...filter, after: decodeCursor(cursor) },
    pageSize + 1,
  );
  return cursorPage(found, pageSize);
}

/**
 * Changes what is said of a workout as a whole. Owner only. Throws stale as `precondition` says,
 * and as starting does.
 */
export function changeWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  patch: WorkoutPatch,
  precondition: Precondition,
) {
  return onLocked(db, actor, workoutId, precondition, (stored) => {
    if (patch.endedAt !== undefined && stored.status === "in_progress") {
      throw new AppError(
        "conflict",
        "workouts.in_progress",
        "The workout is in progress: finish it first",
      );
    }
    return patch;
  });
}

/**
 * Ends a workout, now unless `endedAt` says when. Owner only. Throws conflict
 * (`workouts.not_in_progress`).
 */
export function endWorkout(
  db: Db,
  actor: Actor,
  workoutId: string,
  status: "completed" | "aborted",
  endedAt: string | undefined,
  precondition: Precondition,
) {
  return onLocked(db, actor, workoutId, precondition, (stored) => {
    if (stored.status !== "in_progress") {
      throw new AppError("conflict", "workouts.not_in_progress", "The workout is over already");
    }
    return { status, endedAt: endedAt ?? "now" };
  });
}

/** Takes a workout up again. Owner only. Throws conflict (`workouts.in_progress`). */
export function reopenWorkout(db: Db, actor: Actor, workoutId: string, precondition: Precondition) {
  return onLocked(db, actor, workoutId, precondition, (stored) => {
    if (stored.status === "in_progress") {
      throw new AppError("conflict", "workouts.in_progress", "The workout is in progress");
    }
    return { status: "in_progress", endedAt: null };
  });
}

/** Puts a workout into the trash, from where it is restored for 30 days. Owner only. */
export function trashWorkout(db: Db, actor: Actor, workoutId: string, precondition: Precondition) {
  return onLocked(db, actor, workoutId, precondition, () => ({ isDeleted: true }));
}

/** Takes a workout out of the trash. Owner only. Throws not_found when it is not in it. */
export function restoreWorkout(db: Db, actor: Actor, workoutId: string): Promise<string> {
  return db.transaction(async (tx) => {
    const stored = await lockWorkout(tx, actor.userId, workoutId);
    if (!stored?.isDeleted) throw workoutNotFound();
    return updateWorkout(tx, workoutId, { isDeleted: false });
  });
}

/** Changes a locked workout as `decide` says, and returns it as JSON. */
function onLocked(
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
 * Throws not_found if any exercise is `missing`; `pathOf` gives the JSON pointer of an exercise of
 * `given`.
 */
export function requireExercises(
  missing: string[],
  given: Pick<NewWorkoutExercise, "exerciseId">[],
  pathOf = (at: number) => `/exercises/${at}`,
): void {
  if (missing.length === 0) return;
  const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
  const places = given.map(({ exerciseId: id }, at) => ({ field: `${pathOf(at)}/exerciseId`, id }));
  throw idsNotFound("workouts.exercise_not_found", detail, missing, places);
}

/**
 * Exercises and sets as rows, in their order, positions from 1. Throws invalid with everything that
 * does not fit.
 */
export function rowsOf(given: NewWorkoutExercise[]): { exercises: ExerciseRow[]; sets: SetRow[] } {
  const faults: FieldError[] = [];
  const exercises = given.map((exercise, at): ExerciseRow => {
    const path = `/exercises/${at}`;
    faults.push(...faultsOfExercise(exercise, path));
    return exerciseRow(exercise, at + 1);
  });
  if (faults.length > 0) throw misfit(faults);
  return {
    exercises,
    sets: given.flatMap((exercise, at) =>
      (exercise.sets ?? []).map((set, n) => setRow(set, at + 1, n + 1)),
    ),
  };
}

/** What is wrong with an exercise and its sets, each under `path`. */
export function faultsOfExercise(exercise: NewWorkoutExercise, path: string): FieldError[] {
  const isNamed = exercise.exerciseId || exercise.exerciseName;
  const unnamed = {
    field: `${path}/exerciseId`,
    code: "required",
    message: "Give exerciseId or exerciseName",
  };
  const sets = exercise.sets ?? [];
  return [
    ...(isNamed ? [] : [unnamed]),
    ...sets.flatMap((set, n) => faultsOfSet(exercise.mode, set, `${path}/sets/${n}`)),
  ];
}

export const misfit = (faults: FieldError[]) =>
  new AppError("invalid", "invalid_request", "What was logged does not fit", {
    errors: faults.slice(0, 100),
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
