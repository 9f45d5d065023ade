import type { Db } from "#db/client.ts";
import { translateViolations } from "#db/errors.ts";
import { AppError, type InputId, idsNotFound, listOfIds } from "#lib/errors.ts";
import type { Invalidation, Invalidations } from "../cache/invalidations.ts";
import type { Precondition } from "../http/if-match.ts";
import { type Actor, isSuperuser } from "../permissions/actor.ts";
import { lockParentsOfExercise } from "../permissions/parent-locks.queries.ts";
import {
  deleteExercise,
  type ExistingIds,
  insertExercise,
  type LinkedIds,
  lockExercise,
  updateExercise,
  type WrittenColumns,
} from "./exercise-writes.queries.ts";
import { renderAndInvalidate } from "./exercises.queries.ts";
import type {
  ExercisePatch,
  NewExercise,
  NewSystemExercise,
  SystemExercisePatch,
} from "./exercises.schemas.ts";
import { exerciseNotFound } from "./exercises.service.ts";
import { slugOf } from "./slug.rules.ts";

export type WriteDeps = { db: Db; invalidations: Pick<Invalidations, "publish"> };

/**
 * Creates an exercise of `ownerId`, or of the catalog if that is null, and returns its document.
 * Throws not_found for catalog ids that do not exist, conflict (`exercises.name_taken`) if the
 * owner or the catalog has one with that name or the catalog one with its slug, and conflict
 * (`exercises.id_taken`).
 */
export function createExercise(
  { db, invalidations }: WriteDeps,
  ownerId: string | null,
  fields: NewExercise | NewSystemExercise,
): Promise<string> {
  const isSystem = ownerId === null;
  const links = linksOf(fields);
  return translateTaken(fields.name, isSystem, () =>
    invalidations.publish(invalidationFor(ownerId), (invalidationMessage) =>
      db.transaction(async (tx) => {
        const columns = columnsOf(fields, isSystem);
        const { id, existing } = await insertExercise(tx, ownerId, columns, links);
        if (id === null) throw missingEntries(links, existing);
        return renderAndInvalidate(tx, id, invalidationMessage);
      }),
    ),
  );
}

/**
 * Changes an exercise of `ownerId`, or of the catalog if that is null, and returns its document; an
 * empty patch changes nothing. Throws not_found for any other exercise, stale as `precondition`
 * says, and what `createExercise` throws.
 */
export function changeExercise(
  { db, invalidations }: WriteDeps,
  actor: Actor,
  ownerId: string | null,
  exerciseId: string,
  patch: ExercisePatch | SystemExercisePatch,
  precondition: Precondition,
): Promise<string> {
  const isSystem = ownerId === null;
  const links = linksOf(patch);
  return translateTaken(patch.name ?? "", isSystem, () =>
    invalidations.publish(invalidationFor(ownerId), (invalidationMessage) =>
      db.transaction(async (tx) => {
        const stored = await lockExercise(tx, actor.userId, exerciseId, links);
        if (!stored || stored.isSystem !== isSystem) throw exerciseNotFound();
        await precondition(stored.version, () => stored.document);
        if (Object.keys(patch).length === 0) return stored.document;
        const missing = missingEntries(links, stored.existing);
        if (missing) throw missing;
        await updateExercise(tx, exerciseId, columnsOf(patch, isSystem), links);
        return renderAndInvalidate(tx, exerciseId, invalidationMessage);
      }),
    ),
  );
}

/**
 * Deletes an exercise of the actor, or one of the catalog if the actor is a superuser. Throws
 * not_found for anyone else's, forbidden (`exercises.not_deletable`) for the catalog's, and stale
 * as `precondition` says.
 */
export function removeExercise(
  { db, invalidations }: WriteDeps,
  actor: Actor,
  exerciseId: string,
  precondition: Precondition,
): Promise<void> {
  const invalidation = invalidationFor(isSuperuser(actor) ? null : actor.userId);
  return invalidations.publish(invalidation, (invalidationMessage) =>
    db.transaction(async (tx) => {
      const stored = await lockExercise(tx, actor.userId, exerciseId);
      if (!stored) throw exerciseNotFound();
      if (stored.isSystem && !isSuperuser(actor)) {
        const detail = "You do not have permission to delete this exercise";
        throw new AppError("forbidden", "exercises.not_deletable", detail);
      }
      await precondition(stored.version, () => stored.document);
      await lockParentsOfExercise(tx, exerciseId);
      await deleteExercise(tx, exerciseId, invalidationMessage);
    }),
  );
}

/** A change of the catalog invalidates the lists of all users, because any may contain it. */
const invalidationFor = (ownerId: string | null): Invalidation =>
  ownerId === null ? { catalog: true } : { exercisesOf: ownerId };

/** The fields of any body that creates or changes an exercise. */
type WrittenFields = Partial<NewExercise> &
  Partial<Pick<NewSystemExercise, "tags" | "imagePathStart" | "imagePathEnd">>;

/** The given ids, ascending and distinct; null clears. Fields that are not given are absent. */
function linksOf(fields: WrittenFields): LinkedIds {
  const links: LinkedIds = {};
  for (const field of ["primaryMuscles", "secondaryMuscles", "equipment", "tags"] as const) {
    const ids = fields[field];
    if (ids !== undefined) links[field] = [...new Set(ids)].sort((a, b) => a - b);
  }
  return links;
}

/** The given fields by column name. */
function columnsOf(fields: WrittenFields, isSystem: boolean): WrittenColumns {
  const columns = {
    id: fields.id,
    name: fields.name,
    slug: isSystem && fields.name !== undefined ? slugOf(fields.name) : undefined,
    category: fields.category,
    difficulty: fields.difficultyLevel,
    force: fields.force,
    mechanic: fields.mechanic,
    instructions: fields.instructions,
    image_path_start: fields.imagePathStart,
    image_path_end: fields.imagePathEnd,
  };
  return Object.fromEntries(
    Object.entries(columns).filter(([, value]) => value !== undefined),
  ) as WrittenColumns;
}

/**
 * The error for catalog ids that do not exist, in the order that docs/http.md promises; undefined
 * if all exist.
 */
function missingEntries(links: LinkedIds, existing: ExistingIds): AppError | undefined {
  const missing = (field: keyof LinkedIds, ids: number[]): InputId[] =>
    (links[field] ?? [])
      .filter((id) => !ids.includes(id))
      .map((id) => ({ field: `/${field}`, id }));
  const idsOf = (fields: InputId[]) => fields.map(({ id }) => id as number);
  const list = (fields: InputId[]) => listOfIds(idsOf(fields));
  const notFound = (what: string, detail: string, fields: InputId[]) =>
    idsNotFound(`exercises.${what}_not_found`, detail, idsOf(fields), fields);

  const primary = missing("primaryMuscles", existing.muscles);
  const secondary = missing("secondaryMuscles", existing.muscles);
  const equipment = missing("equipment", existing.equipment);
  const tags = missing("tags", existing.tags);
  if (primary.length > 0 && secondary.length > 0) {
    const detail = `Primary ${list(primary)} and secondary ${list(secondary)} muscles not found`;
    return notFound("muscles", detail, [...primary, ...secondary]);
  }
  if (primary.length > 0)
    return notFound("muscles", `Primary muscles not found: ${list(primary)}`, primary);
  if (secondary.length > 0)
    return notFound("muscles", `Secondary muscles not found: ${list(secondary)}`, secondary);
  if (equipment.length > 0)
    return notFound("equipment", `Equipment not found: ${list(equipment)}`, equipment);
  if (tags.length > 0) return notFound("tags", `Tags not found: ${list(tags)}`, tags);
  return undefined;
}

function translateTaken<T>(name: string, isSystem: boolean, work: () => Promise<T>): Promise<T> {
  const detail = isSystem
    ? `Exercise '${name}' cannot be created: a similar exercise (with matching normalized naming) already exists in the system`
    : `An exercise with the name '${name}' already exists in your account. Please choose a different name`;
  const nameTaken = () => new AppError("conflict", "exercises.name_taken", detail);
  const errors = {
    exercises_owner_name_unique: nameTaken,
    exercises_system_name_unique: nameTaken,
    exercises_system_slug_unique: nameTaken,
  };
  return translateViolations(errors, work);
}
