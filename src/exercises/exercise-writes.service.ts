import type { Db } from "#db/client.ts";
import { translateBroken } from "#db/errors.ts";
import { AppError, type GivenId, idsNotFound, listOfIds } from "#lib/errors.ts";
import type { Invalidation, Invalidations } from "../cache/invalidations.ts";
import type { Precondition } from "../http/precondition.ts";
import { type Actor, isSuperuser } from "../permissions/actor.ts";
import { lockParentsWith } from "../permissions/parent-locks.queries.ts";
import {
  deleteExercise,
  insertExercise,
  type KnownIds,
  type LinkedIds,
  lockExercise,
  updateExercise,
  type WrittenColumns,
} from "./exercise-writes.queries.ts";
import { renderAndAnnounce } from "./exercises.queries.ts";
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
 * Creates an exercise of the actor's own and returns its document. Throws not_found for catalog ids
 * that are not there, conflict (`exercises.name_taken`) when the actor has one of that name, or
 * (`exercises.id_taken`).
 */
export function createOwnExercise(
  deps: WriteDeps,
  actor: Actor,
  given: NewExercise,
): Promise<string> {
  return create(deps, actor.userId, given);
}

/**
 * Creates an exercise of the catalog; superusers only. Throws not_found for catalog ids that are
 * not there, conflict (`exercises.name_taken`) when one has that name or its slug.
 */
export function createSystemExercise(deps: WriteDeps, given: NewSystemExercise): Promise<string> {
  return create(deps, null, given);
}

function create(
  { db, invalidations }: WriteDeps,
  ownerId: string | null,
  given: NewExercise | NewSystemExercise,
) {
  const links = linksOf(given);
  return translateTaken(given.name, ownerId === null, () =>
    invalidations.publish(invalidationSql(ownerId), (invalidationMessage) =>
      db.transaction(async (tx) => {
        const { id, known } = await insertExercise(
          tx,
          ownerId,
          columnsOf(given, ownerId === null),
          links,
        );
        if (id === null) throw missingEntries(links, known);
        return renderAndAnnounce(tx, id, invalidationMessage);
      }),
    ),
  );
}

/**
 * Changes an exercise of the actor's own and returns its document; nothing given changes nothing.
 * Throws not_found for anyone else's and the catalog's, stale as `precondition` says, and what
 * creating it would.
 */
export function changeOwnExercise(
  deps: WriteDeps,
  actor: Actor,
  exerciseId: string,
  patch: ExercisePatch,
  precondition: Precondition,
): Promise<string> {
  return change(deps, actor.userId, actor, exerciseId, patch, precondition);
}

/** Changes an exercise of the catalog; superusers only. Throws as `changeOwnExercise` does. */
export function changeSystemExercise(
  deps: WriteDeps,
  actor: Actor,
  exerciseId: string,
  patch: SystemExercisePatch,
  precondition: Precondition,
): Promise<string> {
  return change(deps, null, actor, exerciseId, patch, precondition);
}

function change(
  { db, invalidations }: WriteDeps,
  ownerId: string | null,
  actor: Actor,
  exerciseId: string,
  patch: ExercisePatch | SystemExercisePatch,
  precondition: Precondition,
): Promise<string> {
  const isSystem = ownerId === null;
  const links = linksOf(patch);
  return translateTaken(patch.name ?? "", isSystem, () =>
    invalidations.publish(invalidationSql(ownerId), (invalidationMessage) =>
      db.transaction(async (tx) => {
        const stored = await lockExercise(tx, actor.userId, exerciseId, links);
        if (!stored || stored.isSystem !== isSystem) throw exerciseNotFound();
        await precondition(stored.version, () => stored.document);
        if (Object.keys(patch).length === 0) return stored.document;
        const missing = missingEntries(links, stored.known);
        if (missing) throw missing;
        await updateExercise(tx, exerciseId, columnsOf(patch, isSystem), links);
        return renderAndAnnounce(tx, exerciseId, invalidationMessage);
      }),
    ),
  );
}

/**
 * Deletes an exercise of the actor's own, or as a superuser one of the catalog. Throws not_found
 * for anyone else's, forbidden (`exercises.not_deletable`) for the catalog's, stale as
 * `precondition` says.
 */
export function removeExercise(
  { db, invalidations }: WriteDeps,
  actor: Actor,
  exerciseId: string,
  precondition: Precondition,
): Promise<void> {
  return invalidations.publish(
    invalidationSql(isSuperuser(actor) ? null : actor.userId),
    (invalidationMessage) =>
      db.transaction(async (tx) => {
        const stored = await lockExercise(tx, actor.userId, exerciseId);
        if (!stored) throw exerciseNotFound();
        if (stored.isSystem && !isSuperuser(actor)) {
          const detail = "You do not have permission to delete this exercise";
          throw new AppError("forbidden", "exercises.not_deletable", detail);
        }
        await precondition(stored.version, () => stored.document);
        await lockParentsWith(tx, exerciseId);
        await deleteExercise(tx, exerciseId, invalidationMessage);
      }),
  );
}

/**
 * A change of the catalog ends everything that was remembered of exercises: every list may show it.
 */
const invalidationSql = (ownerId: string | null): Invalidation =>
  ownerId === null ? { catalog: true } : { exercisesOf: ownerId };

type Given = Partial<NewSystemExercise & SystemExercisePatch> | ExercisePatch | NewExercise;

/** Ids ascending, none twice; null clears. What is not given is absent. */
function linksOf(given: Given): LinkedIds {
  const links: LinkedIds = {};
  const { tags, ...common } = { tags: undefined, ...given };
  const set = (field: keyof LinkedIds, ids: number[] | null | undefined) => {
    if (ids !== undefined) links[field] = [...new Set(ids)].sort((a, b) => a - b);
  };
  set("primaryMuscles", common.primaryMuscles);
  set("secondaryMuscles", common.secondaryMuscles === null ? [] : common.secondaryMuscles);
  set("equipment", common.equipment === null ? [] : common.equipment);
  set("tags", tags);
  return links;
}

/** What is given, by the names of the columns. */
function columnsOf(given: Given, isSystem: boolean): WrittenColumns {
  const { imagePathStart, imagePathEnd, ...common } = {
    imagePathStart: undefined,
    imagePathEnd: undefined,
    ...given,
  };
  const columns = {
    id: "id" in common ? common.id : undefined,
    name: common.name,
    slug: isSystem && common.name !== undefined ? slugOf(common.name) : undefined,
    category: common.category,
    difficulty: common.difficultyLevel,
    force: common.force,
    mechanic: common.mechanic,
    instructions: common.instructions,
    image_path_start: imagePathStart,
    image_path_end: imagePathEnd,
  };
  return Object.fromEntries(
    Object.entries(columns).filter(([, value]) => value !== undefined),
  ) as WrittenColumns;
}

/**
 * The first complaint about ids that are not there, in the order that docs/http.md promises;
 * undefined when all are.
 */
function missingEntries(links: LinkedIds, known: KnownIds): AppError | undefined {
  const missing = (ids: number[] | undefined, there: number[]) =>
    (ids ?? []).filter((id) => !there.includes(id));
  const placesOf = (field: string, ids: number[]) => ids.map((id) => ({ field: `/${field}`, id }));
  const primary = missing(links.primaryMuscles, known.muscles);
  const secondary = missing(links.secondaryMuscles, known.muscles);
  const equipment = missing(links.equipment, known.equipment);
  const tags = missing(links.tags, known.tags);
  const muscles = [
    ...placesOf("primaryMuscles", primary),
    ...placesOf("secondaryMuscles", secondary),
  ];
  const notFound = (what: string, detail: string, places: GivenId[]) => {
    const ids = places.map(({ id }) => id as number);
    return idsNotFound(`exercises.${what}_not_found`, detail, ids, places);
  };
  if (primary.length > 0 && secondary.length > 0) {
    const detail = `Primary ${listOfIds(primary)} and secondary ${listOfIds(secondary)} muscles not found`;
    return notFound("muscles", detail, muscles);
  }
  if (primary.length > 0)
    return notFound("muscles", `Primary muscles not found: ${listOfIds(primary)}`, muscles);
  if (secondary.length > 0)
    return notFound("muscles", `Secondary muscles not found: ${listOfIds(secondary)}`, muscles);
  if (equipment.length > 0) {
    return notFound(
      "equipment",
      `Equipment not found: ${listOfIds(equipment)}`,
      placesOf("equipment", equipment),
    );
  }
  if (tags.length > 0)
    return notFound("tags", `Tags not found: ${listOfIds(tags)}`, placesOf("tags", tags));
  return undefined;
}

function translateTaken<T>(name: string, isSystem: boolean, work: () => Promise<T>): Promise<T> {
  const detail = isSystem
    ? `Exercise '${name}' cannot be created: a similar exercise (with matching normalized naming) already exists in the system`
    : `An exercise with the name '${name}' already exists in your account. Please choose a different name`;
  const nameTaken = () => new AppError("conflict", "exercises.name_taken", detail);
  const broken = {
    exercises_owner_name_unique: nameTaken,
    exercises_system_name_unique: nameTaken,
    exercises_system_slug_unique: nameTaken,
  };
  return translateBroken(broken, work);
}
