import type { Db } from "#db/client.ts";
import { replanForBulkInsert } from "#db/replan.ts";
import { AppError, idsNotFound, listOfIds } from "#lib/errors.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import { createPause } from "../http/pause.ts";
import type { Actor } from "../permissions/actor.ts";
import { type ImportedWorkout, openTraining, type Training } from "./formats.rules.ts";
import { listFormerZones, renewKeys, trashByKeys } from "./former-keys.queries.ts";
import { formerKeys, formerPartKeys, importKey, rowsOf } from "./imported-rows.rules.ts";
import {
  closeImport,
  type Differing,
  insertImport,
  insertImported,
  replaceImported,
  undoImport,
} from "./imports.queries.ts";
import type { ImportNamesPatch, ImportQuestion } from "./imports.schemas.ts";
import { chooseNames, listChosenJson, listNamed } from "./names.queries.ts";
import { loadProposals } from "./proposals.service.ts";
import {
  addCellNote,
  addError,
  newReading,
  noteDiffering,
  type Reading,
  reportOf,
} from "./report.rules.ts";

const [WORKOUTS_AT_ONCE, SETS_AT_ONCE] = [100, 2000];
const MAX_NAMES = 2000;

/** Thrown to roll back a dry run. */
const DRY_RUN = new Error("dry run");

/** What to do with known workouts whose content differs in the file. */
type Known = NonNullable<ImportQuestion["known"]>;
type Into = {
  userId: string;
  importId: string;
  timeZone: string;
  formerZones: string[];
  known: Known;
};

/**
 * Imports another app's export into the actor's training and returns a report as JSON; a dry run is
 * rolled back. Workouts of an earlier import are compared, and replaced only if `known` says so.
 * Invalid rows and cells are left out and reported; unknown exercise names are stored as names. One
 * transaction, with at most seven statements for every hundred workouts; nothing that can fail
 * follows it. Throws invalid for a file of an unknown format, with an ambiguity that the parameters
 * do not resolve, that is not UTF-8, or that names more than 2,000 exercises.
 */
export async function importTraining(
  { db, catalogCache }: { db: Db; catalogCache: CatalogCache },
  actor: Actor,
  file: Uint8Array,
  { dryRun: isDryRun = false, known = "keep", ...options }: ImportQuestion,
): Promise<string> {
  const pause = createPause();
  const training = await openTraining(await textOf(file, pause), options, pause);
  const propose = await loadProposals({ db, catalogCache }, actor.userId);
  let reading = newReading(training);
  let importId: string | null = null;
  try {
    await db.transaction(async (tx) => {
      // Inside the transaction, because it may be retried.
      reading = newReading(training);
      const formerZones = await listFormerZones(tx, actor.userId);
      const id = await insertImport(tx, actor.userId, training.format);
      await replanForBulkInsert(tx);
      const into = {
        userId: actor.userId,
        importId: id,
        timeZone: options.timeZone,
        formerZones,
        known,
      };
      await writeAll(tx, into, training, reading);
      await closeImport(tx, id, reading.added);
      importId = reading.added.workouts > 0 ? id : null;
      if (isDryRun) throw DRY_RUN;
    });
  } catch (error) {
    if (error !== DRY_RUN) throw error;
  }
  return reportOf(reading, await propose(reading.names), {
    importId: isDryRun ? null : importId,
    dryRun: isDryRun,
  });
}

/**
 * Undoes an import. Owner only. Throws not_found for another user's import, and for one that was
 * undone before.
 */
export async function revertImport(
  db: Db,
  actor: Actor,
  importId: string,
): Promise<{ trashed: number; kept: number }> {
  const undone = await undoImport(db, actor.userId, importId);
  if (!undone) throw new AppError("not_found", "imports.not_found", "Import not found");
  return undone;
}

/**
 * Stores which exercises the actor means by names, and returns all stored names as JSON. Throws
 * not_found.
 */
export async function rememberNames(
  db: Db,
  actor: Actor,
  { names }: ImportNamesPatch,
): Promise<string> {
  const missing = await chooseNames(
    db,
    actor.userId,
    names.map(({ name, exerciseId }) => ({ name, exerciseId })),
  );
  if (missing.length > 0) {
    const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
    const given = names.map(({ exerciseId: id }, at) => ({ field: `/names/${at}/exerciseId`, id }));
    throw idsNotFound("imports.exercise_not_found", detail, missing, given);
  }
  return listChosenJson(db, actor.userId);
}

/** The file's text. Throws invalid when it is not UTF-8. */
async function textOf(file: Uint8Array, pause: () => Promise<void>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const pieceBytes = 1_048_576;
  const pieces: string[] = [];
  try {
    for (let at = 0; at < file.byteLength; at += pieceBytes) {
      pieces.push(decoder.decode(file.subarray(at, at + pieceBytes), { stream: true }));
      await pause();
    }
    pieces.push(decoder.decode());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new AppError("invalid", "imports.not_text", "The file is not valid UTF-8", { cause });
  }
  return pieces.join("");
}

async function writeAll(tx: Db, into: Into, training: Training, reading: Reading): Promise<void> {
  const batch: ImportedWorkout[] = [];
  let setCount = 0;
  for await (const event of training.events()) {
    if ("error" in event) addError(reading, event.error);
    else if ("note" in event) addCellNote(reading, event.note);
    else {
      batch.push(event.workout);
      setCount += event.workout.exercises.reduce((sum, { sets }) => sum + sets.length, 0);
      if (batch.length < WORKOUTS_AT_ONCE && setCount < SETS_AT_ONCE) continue;
      await writeBatch(tx, into, reading, batch.splice(0));
      setCount = 0;
    }
  }
  if (batch.length > 0) await writeBatch(tx, into, reading, batch);
}

async function writeBatch(
  tx: Db,
  into: Into,
  reading: Reading,
  workouts: ImportedWorkout[],
): Promise<void> {
  await findNames(tx, into.userId, reading, workouts);
  const { rows, cut } = rowsOf(reading, workouts);
  for (const note of cut) addCellNote(reading, note);
  if (into.formerZones.length > 0) {
    const keys = workouts.flatMap((workout) =>
      formerKeys(reading.format, workout, into.formerZones).map((former) => ({
        former,
        key: importKey(reading.format, workout),
      })),
    );
    await renewKeys(tx, into.userId, keys);
  }
  const made = await insertImported(tx, into, rows);
  reading.added.workouts += made.workouts;
  reading.added.sets += made.sets;
  reading.known += workouts.length - made.workouts;
  const wanted = made.differing.filter((one) => isReplaced(into.known, one));
  const isForced = into.known === "replaceChanged";
  const replaced =
    wanted.length === 0 ? [] : await replaceImported(tx, into.userId, wanted, rows, isForced);
  if (into.known !== "keep" && into.formerZones.length > 0) {
    const other = made.differing
      .filter(({ workoutId }) => !replaced.includes(workoutId))
      .map(({ givenId }) => givenId);
    const same = workouts.filter((_, at) => !other.includes(rows.workouts[at]?.id as string));
    const keys = same.flatMap((workout) =>
      formerPartKeys(reading.format, workout, into.formerZones),
    );
    await trashByKeys(tx, into.userId, keys, isForced);
  }
  const places = new Map(rows.workouts.map(({ id }, at) => [id, workouts[at] as ImportedWorkout]));
  for (const one of made.differing) {
    noteDiffering(
      reading,
      places.get(one.givenId) as ImportedWorkout,
      one,
      replaced.includes(one.workoutId),
    );
  }
}

const isReplaced = (known: Known, { isChanged }: Differing) =>
  known === "replaceChanged" || (known === "replace" && !isChanged);

/** Looks up the names that are new in the file. */
async function findNames(
  tx: Db,
  userId: string,
  reading: Reading,
  workouts: ImportedWorkout[],
): Promise<void> {
  const fresh = new Set(workouts.flatMap(({ exercises }) => exercises.map(({ name }) => name)));
  for (const name of reading.names.keys()) fresh.delete(name);
  if (fresh.size === 0) return;
  if (reading.names.size + fresh.size > MAX_NAMES) {
    const detail = `The file names more than ${MAX_NAMES} exercises`;
    throw new AppError("invalid", "imports.too_many_names", detail);
  }
  const found = new Map((await listNamed(tx, userId, [...fresh])).map((one) => [one.name, one]));
  for (const name of fresh) reading.names.set(name, { setCount: 0, meant: found.get(name) });
}
