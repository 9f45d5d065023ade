import type { Db } from "#db/client.ts";
import { translateViolations } from "#db/errors.ts";
import { AppError, type FieldError, idsNotFound, listOfIds } from "#lib/errors.ts";
import { listVisibleIds } from "../exercises/exercises.queries.ts";
import type { Precondition } from "../http/if-match.ts";
import type { Actor } from "../permissions/actor.ts";
import { type LockedParent, lockRoutine } from "../permissions/parent-locks.queries.ts";
import { mayWriteRoutine } from "../permissions/visibility.queries.ts";
import {
  deleteRoutine,
  insertRoutine,
  type RoutineColumns,
  type RoutineEntry,
  type RoutineWrite,
  updateRoutine,
} from "./routine-writes.queries.ts";
import { findRoutineJson, listPlansWith } from "./routines.queries.ts";
import type { NewRoutine, NewRoutineExercise, RoutinePatch } from "./routines.schemas.ts";
import { targetErrors } from "./targets.rules.ts";

const routineNotFound = () => new AppError("not_found", "routines.not_found", "Routine not found");

/** The routine as JSON. Throws not_found unless it is the actor's, public, or shared with them. */
export async function getRoutine(db: Db, actor: Actor, routineId: string): Promise<string> {
  const json = await findRoutineJson(db, actor.userId, routineId);
  if (json === undefined) throw routineNotFound();
  return json;
}

/**
 * Creates a routine of the actor and returns it as JSON. Throws invalid for targets that do not
 * fit, not_found for exercises that do not exist, conflict (`routines.name_taken`,
 * `routines.id_taken`).
 */
export function createRoutine(
  db: Db,
  actor: Actor,
  { exercises, ...routine }: NewRoutine,
): Promise<string> {
  const entries = entriesOf(exercises);
  return translate(routine.name, () =>
    db.transaction(async (tx) => {
      const id = requireWritten(await insertRoutine(tx, actor.userId, routine, entries), entries);
      return getRoutine(tx, actor, id);
    }),
  );
}

/**
 * Changes a routine, replaces its exercises if they are given, and returns it as JSON. The owner
 * and users who may write it can change it; only the owner can change its sharing. Throws what
 * `createRoutine` throws, not_found, forbidden, and stale as `precondition` says.
 */
export function changeRoutine(
  db: Db,
  actor: Actor,
  routineId: string,
  { exercises, ...columns }: RoutinePatch,
  precondition: Precondition,
): Promise<string> {
  const entries = exercises && entriesOf(exercises);
  return translate(columns.name ?? "", () =>
    db.transaction(async (tx) => {
      const stored = await requireWritable(tx, actor, routineId, columns);
      await precondition(stored.version, () => getRoutine(tx, actor, routineId));
      if (!entries && Object.keys(columns).length === 0) return getRoutine(tx, actor, routineId);
      const routine = { id: routineId, ownerId: stored.ownerId };
      const write = await updateRoutine(tx, actor.userId, routine, columns, entries);
      requireWritten(write, entries);
      return getRoutine(tx, actor, routineId);
    }),
  );
}

/** Throws not_found unless the actor may currently write the routine. */
export async function requireRoutineWritable(
  db: Db,
  actor: Actor,
  routineId: string,
): Promise<void> {
  if (!(await mayWriteRoutine(db, actor.userId, routineId))) throw routineNotFound();
}

/**
 * Copies a routine that the actor may read into one of their own, under `name` if that is given.
 * Throws not_found, and what `createRoutine` throws.
 */
export async function cloneRoutine(
  db: Db,
  actor: Actor,
  routineId: string,
  { id, name }: { id?: string; name?: string },
): Promise<string> {
  const original = JSON.parse(await getRoutine(db, actor, routineId)) as {
    ownerId: string;
  } & NewRoutine;
  const isOwn = original.ownerId === actor.userId;
  return createRoutine(db, actor, {
    ...(id ? { id } : {}),
    name: name ?? (isOwn ? `${original.name.slice(0, 93)} (copy)` : original.name),
    description: original.description ?? null,
    exercises: await withVisibleIds(db, actor, original.exercises),
  });
}

/**
 * Deletes a routine of the actor. Throws not_found, conflict (`routines.in_use`), stale as
 * `precondition` says.
 */
export function removeRoutine(
  db: Db,
  actor: Actor,
  routineId: string,
  precondition: Precondition,
): Promise<void> {
  const inUse = (user: string) =>
    new AppError("conflict", "routines.in_use", `The routine is used by ${user}`);
  return translateViolations({ plan_routines_routine_id_fkey: () => inUse("a plan") }, () =>
    db.transaction(async (tx) => {
      const stored = await lockRoutine(tx, actor.userId, routineId);
      if (!stored?.isOwner) throw routineNotFound();
      await precondition(stored.version, () => getRoutine(tx, actor, routineId));
      const [plan, ...others] = await listPlansWith(tx, routineId);
      if (plan !== undefined) {
        throw inUse(`the plan '${plan}'${others.length === 0 ? "" : ` and ${others.length} more`}`);
      }
      await deleteRoutine(tx, routineId);
    }),
  );
}

async function requireWritable(
  tx: Db,
  actor: Actor,
  routineId: string,
  columns: RoutineColumns,
): Promise<LockedParent> {
  const stored = await lockRoutine(tx, actor.userId, routineId);
  if (!stored) throw routineNotFound();
  if (columns.sharing !== undefined && !stored.isOwner) {
    throw new AppError("forbidden", "routines.not_owner", "Only the owner shares a routine");
  }
  return stored;
}

/** Keeps only the names of exercises that the actor may not see: other users' own. */
async function withVisibleIds(
  db: Db,
  actor: Actor,
  exercises: NewRoutineExercise[],
): Promise<NewRoutineExercise[]> {
  const ids = exercises.flatMap(({ exerciseId }) => (exerciseId ? [exerciseId] : []));
  const visible = new Set(await listVisibleIds(db, actor.userId, ids));
  return exercises.map((exercise) => {
    const { id: _id, position: _position, ...fields } = exercise as StoredExercise;
    const { exerciseId } = fields;
    return { ...fields, exerciseId: exerciseId && visible.has(exerciseId) ? exerciseId : null };
  });
}

type StoredExercise = NewRoutineExercise & { id: string; position: number };

/** Adds positions, from 1. Throws invalid with every fault of the exercises, at most 100. */
function entriesOf(exercises: NewRoutineExercise[]): RoutineEntry[] {
  const errors: FieldError[] = exercises.flatMap((exercise, index) => {
    const path = `/exercises/${index}`;
    const isNamed = exercise.exerciseId || exercise.exerciseName;
    const unnamed = {
      field: `${path}/exerciseId`,
      code: "required",
      message: "Give exerciseId, or exerciseName for one that is gone",
    };
    return [...(isNamed ? [] : [unnamed]), ...targetErrors(exercise, path)];
  });
  if (errors.length > 0) {
    const details = { errors: errors.slice(0, 100) };
    throw new AppError("invalid", "invalid_request", "The targets do not fit", details);
  }
  return exercises.map((exercise, index) => ({
    ...exercise,
    exerciseId: exercise.exerciseId ?? null,
    position: index + 1,
  }));
}

/** The id of the written routine. Throws not_found if nothing was written. */
function requireWritten({ id, missing }: RoutineWrite, entries: RoutineEntry[] = []): string {
  if (missing.length > 0) {
    const fields = entries.map(({ exerciseId }, index) => ({
      field: `/exercises/${index}/exerciseId`,
      id: exerciseId,
    }));
    const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
    throw idsNotFound("routines.exercise_not_found", detail, missing, fields);
  }
  if (id === null) throw routineNotFound();
  return id;
}

function translate<T>(name: string, work: () => Promise<T>): Promise<T> {
  const detail = `You already have a routine with the name '${name}'`;
  const nameTaken = () => new AppError("conflict", "routines.name_taken", detail);
  return translateViolations({ routines_owner_name_unique: nameTaken }, work);
}
