import type { Db } from "#db/client.ts";
import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";
import { type Invalidations, sendInvalidation } from "../cache/invalidations.ts";
import { renderDocuments } from "../exercises/exercises.queries.ts";
import {
  type CatalogTable,
  deleteCatalogEntry,
  findCatalogEntryJson,
  insertCatalogEntry,
  raiseExercisesWith,
  renameCatalogEntry,
} from "./catalogs.queries.ts";

export type CatalogDeps = { db: Db; invalidations: Invalidations };

/** How a catalog is spoken of: `An equipment`, `Equipment`. */
export type CatalogWords = { table: CatalogTable; a: string; noun: string };

/**
 * Adds an entry and returns it as JSON; superusers only. Throws conflict (`<table>.name_taken`).
 */
export function addEntry(
  { db, invalidations }: CatalogDeps,
  words: CatalogWords,
  name: string,
): Promise<string> {
  return translate(words, name, () =>
    invalidations.publish({ catalog: true }, async (invalidationMessage) => {
      const json = await insertCatalogEntry(db, words.table, name, invalidationMessage);
      if (json === undefined) throw nameTaken(words, name);
      return json;
    }),
  );
}

/**
 * Renames an entry, and with it every exercise that shows it, and returns it as JSON; superusers
 * only. Throws not_found, conflict (`<table>.name_taken`).
 */
export function renameEntry(
  deps: CatalogDeps,
  words: CatalogWords,
  id: number,
  name: string,
): Promise<string> {
  const { table } = words;
  return translate(words, name, () =>
    deps.invalidations.publish({ catalog: true }, (invalidationMessage) =>
      deps.db.transaction(async (tx) => {
        // It may run again, and find that the name is there already.
        invalidationMessage.isSent = false;
        const isChanged = await renameCatalogEntry(tx, table, id, name);
        if (isChanged === undefined) throw entryNotFound(words, id);
        if (isChanged) {
          // Locked first, in a statement of its own: what is rendered is what others have committed
          // by then.
          await renderDocuments(tx, await raiseExercisesWith(tx, table, id));
          await sendInvalidation(tx, invalidationMessage);
        }
        return JSON.stringify({ id, name });
      }),
    ),
  );
}

/**
 * Deletes an entry that nothing refers to; superusers only. Throws not_found, conflict
 * (`<table>.in_use`).
 */
export function removeEntry(
  { db, invalidations }: CatalogDeps,
  words: CatalogWords,
  id: number,
): Promise<void> {
  return translate(words, String(id), () =>
    invalidations.publish({ catalog: true }, async (invalidationMessage) => {
      if (!(await deleteCatalogEntry(db, words.table, id, invalidationMessage)))
        throw entryNotFound(words, id);
    }),
  );
}

/** The entry as JSON. Throws not_found. */
export async function getEntry(
  { db }: { db: Db },
  words: CatalogWords,
  id: number,
): Promise<string> {
  const json = await findCatalogEntryJson(db, words.table, id);
  if (json === undefined) throw entryNotFound(words, id);
  return json;
}

const entryNotFound = ({ table, noun }: CatalogWords, id: number) =>
  new AppError("not_found", `${table}.not_found`, `${noun} with ID '${id}' not found`);

const nameTaken = ({ table, a }: CatalogWords, name: string) =>
  new AppError("conflict", `${table}.name_taken`, `${a} with the name '${name}' already exists`);

const UNIQUE_VIOLATION = "23505";
const FOREIGN_KEY_VIOLATION = "23503";

async function translate<T>(words: CatalogWords, what: string, work: () => Promise<T>): Promise<T> {
  try {
    return await work();
  } catch (error) {
    const code = postgresError(error)?.code;
    if (code === UNIQUE_VIOLATION) throw nameTaken(words, what);
    if (code !== FOREIGN_KEY_VIOLATION) throw error;
    const detail = `${words.noun} with ID '${what}' is used by exercises and cannot be deleted`;
    throw new AppError("conflict", `${words.table}.in_use`, detail);
  }
}
