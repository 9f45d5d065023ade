import type { Db } from "#db/client.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import { renderDocuments } from "../exercises/exercises.queries.ts";
import {
  type CatalogTable,
  deleteCatalogEntry,
  findCatalogEntryJson,
  incrementVersionsWith,
  insertCatalogEntry,
  renameCatalogEntry,
} from "./catalogs.queries.ts";

export type CatalogDeps = { db: Db; invalidations: Invalidations };

/** The names of a catalog in messages: `An equipment`, `Equipment`. */
export type CatalogNames = { table: CatalogTable; withArticle: string; noun: string };

/**
 * Adds an entry and returns it as JSON; superusers only. Throws conflict (`<table>.name_taken`).
 */
export function addEntry(
  { db, invalidations }: CatalogDeps,
  names: CatalogNames,
  name: string,
): Promise<string> {
  return translate(names, name, () =>
    invalidations.publish({ catalog: true }, async (invalidationMessage) => {
      const json = await insertCatalogEntry(db, names.table, name, invalidationMessage);
      if (json === undefined) throw nameTaken(names, name);
      return json;
    }),
  );
}

/**
 * Renames an entry, also in every exercise that refers to it, and returns it as JSON; superusers
 * only. Throws not_found, conflict (`<table>.name_taken`).
 */
export function renameEntry(
  { db, invalidations }: CatalogDeps,
  names: CatalogNames,
  id: number,
  name: string,
): Promise<string> {
  const { table } = names;
  return translate(names, name, () =>
    invalidations.publish({ catalog: true }, (invalidationMessage) =>
      db.transaction(async (tx) => {
        // A retry of the transaction may find the name already set.
        invalidationMessage.isSent = false;
        const isChanged = await renameCatalogEntry(tx, table, id, name);
        if (isChanged === undefined) throw entryNotFound(names, id);
        if (isChanged) {
          // The exercises are locked by a statement of its own, so that the next one renders what
          // others committed meanwhile.
          await renderDocuments(tx, await incrementVersionsWith(tx, table, id));
          await sendInvalidation(tx, invalidationMessage);
        }
        return JSON.stringify({ id, name });
      }),
    ),
  );
}

/**
 * Deletes an entry that no exercise refers to; superusers only. Throws not_found, conflict
 * (`<table>.in_use`).
 */
export function removeEntry(
  { db, invalidations }: CatalogDeps,
  names: CatalogNames,
  id: number,
): Promise<void> {
  return translate(names, String(id), () =>
    invalidations.publish({ catalog: true }, async (invalidationMessage) => {
      if (!(await deleteCatalogEntry(db, names.table, id, invalidationMessage)))
        throw entryNotFound(names, id);
    }),
  );
}

/** The entry as JSON. Throws not_found. */
export async function getEntry(
  { db }: Pick<CatalogDeps, "db">,
  names: CatalogNames,
  id: number,
): Promise<string> {
  const json = await findCatalogEntryJson(db, names.table, id);
  if (json === undefined) throw entryNotFound(names, id);
  return json;
}

const entryNotFound = ({ table, noun }: CatalogNames, id: number) =>
  new AppError("not_found", `${table}.not_found`, `${noun} with ID '${id}' not found`);

const nameTaken = ({ table, withArticle }: CatalogNames, name: string) =>
  new AppError(
    "conflict",
    `${table}.name_taken`,
    `${withArticle} with the name '${name}' already exists`,
  );

const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";

async function translate<T>(
  names: CatalogNames,
  value: string,
  work: () => Promise<T>,
): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = postgresError(error)?.code;
    if (code === UNIQUE_VIOLATION) throw nameTaken(names, value);
    if (code !== FOREIGN_KEY_VIOLATION) throw error;
    const detail = `${names.noun} with ID '${value}' is used by exercises and cannot be deleted`;
    throw new AppError("conflict", `${names.table}.in_use`, detail);
  }
}
