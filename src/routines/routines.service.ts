import type { Db } from "#db/client.ts";
import { translateBroken } from "#db/errors.ts";
import { AppError, type FieldError, idsNotFound, listOfIds } from "#lib/errors.ts";
import { listVisibleIds } from "../exercises/exercises.queries.ts";
import type { Precondition } from "../http/precondition.ts";
import type { Actor } from "../permissions/actor.ts";
import { type LockedParent, lockRoutine } from "../permissions/parent-locks.queries.ts";
import { mayWriteRoutine } from "../permissions/visibility.queries.ts";
import {
  deleteRoutine,
  type Entry,
  findRoutineJson,
  insertRoutine,
  listPlansWith,
  type RoutineColumns,
  updateRoutine,
  type Written,
} from "./routines.queries.ts";
import type { NewRoutine, NewRoutineExercise, RoutinePatch } from "./routines.schemas.ts";
import { faultsOfTargets } from "./targets.rules.ts";

const routineNotFound = () => new AppError("not_found", "routines.not_found", "Routine not found");

/** The routine as JSON. Throws not_found unless it is the actor's, public, or shared with them. */
export async function getRoutine(db: Db, actor: Actor, routineId: string): Promise<string> {
  const json = await findRoutineJson(db, actor.userId, routineId);
  if (json === undefined) throw routineNotFound();
  return json;
}

/**
 * Creates a routine of the actor's own and returns it as JSON. Throws invalid when targets do not
 * fit, not_found for an exercise that is not there, conflict (`routines.name_taken`,
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
 * Changes a routine, replacing its exercises when they are given, and returns it as JSON. Its
 * owner, or who may write it; only the owner shares it. Throws as creating does, and stale as
 * `precondition` says.
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
      requireWritten(
        await updateRoutine(
          tx,
          actor.userId,
          { id: routineId, ownerId: stored.ownerId },
          columns,
          entries,
        ),
        entries,
      );
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
 * Copies a routine that the actor may read into their own, with another name if one is given.
 * Throws as creating does.
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
    exercises: await withoutForeign(db, actor, original.exercises),
  });
}

/**
 * Deletes a routine of the actor's own. Throws not_found, conflict (`routines.in_use`), stale as
 * `precondition` says.
 */
export function removeRoutine(
  db: Db,
  actor: Actor,
  routineId: string,
  precondition: Precondition,
): Promise<void> {
  const inUse = (by: string) =>
    new AppError("conflict", "routines.in_use", `The routine is used by ${by}`);
  return translateBroken({ plan_routines_routine_id_fkey: () => inUse("a plan") }, () =>
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

/**
 * Other people's own exercises stay behind by name: who copies a routine does not get to see them.
 */
async function withoutForeign(
  db: Db,
  actor: Actor,
  exercises: NewRoutineExercise[],
): Promise<NewRoutineExercise[]> {
  const ids = exercises.flatMap(({ exerciseId }) => (exerciseId ? [exerciseId] : []));
  const visible = new Set(await listVisibleIds(db, actor.userId, ids));
  return exercises.map(
    ({
      id: _id,
      position: _position,
      ...exercise
    }: NewRoutineExercise & { id?: string; position?: number }) => ({
      ...exercise,
      exerciseId:
        exercise.exerciseId && visible.has(exercise.exerciseId) ? exercise.exerciseId : null,
    }),
  );
}

/** Entries with their positions, from 1. Throws invalid with everything that is wrong with them. */
function entriesOf(exercises: NewRoutineExercise[]): Entry[] {
  const faults: FieldError[] = exercises.flatMap((exercise, at) => {
    const path = `/exercises/${at}`;
    const isNamed = exercise.exerciseId || exercise.exerciseName;
    const unnamed = {
      field: `${path}/exerciseId`,
      code: "required",
      message: "Give exerciseId, or exerciseName for one that is gone",
    };
    return [...(isNamed ? [] : [unnamed]), ...faultsOfTargets(exercise, path)];
  });
  if (faults.length > 0) {
    throw new AppError("invalid", "invalid_request", "The targets do not fit", {
      errors: faults.slice(0, 100),
    });
  }
  return exercises.map((exercise, at) => ({
    ...exercise,
    exerciseId: exercise.exerciseId ?? null,
    position: at + 1,
  }));
}

function requireWritten({ id, missing }: Written, entries: Entry[] = []): string {
  if (missing.length > 0) {
    const given = entries.map(({ exerciseId }, at) => ({
      field: `/exercises/${at}/exerciseId`,
      id: exerciseId,
    }));
    const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
    throw idsNotFound("routines.exercise_not_found", detail, missing, given);
  }
  if (id === null) throw routineNotFound();
  return id;
}

const translate = <T>(name: string, work: () => Promise<T>): Promise<T> =>
  translateBroken(
    {
      routines_owner_name_unique: () =>
        new AppError(
          "conflict",
          "routines.name_taken",
          `You already have a routine with the name '${name}'`,
        ),
    },
    work,
  );
