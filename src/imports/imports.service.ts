import type { Db } from "#db/client.ts";
import { replanForBulkInsert } from "#db/replan.ts";
import { AppError, idsNotFound, listOfIds } from "#lib/errors.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import { createPause } from "../http/pause.ts";
import type { Actor } from "../permissions/actor.ts";
import type { ImportedWorkout } from "./formats.types.ts";
import { importKey, legacyKeys, legacyPartKeys } from "./import-keys.rules.ts";
import { toRows } from "./imported-rows.rules.ts";
import {
  type DifferingWorkout,
  insertImported,
  replaceImported,
} from "./imported-workouts.queries.ts";
import { closeImport, insertImport, trashImport } from "./imports.queries.ts";
import type { ImportNamesPatch, ImportQuery } from "./imports.schemas.ts";
import {
  listLegacyTimeZones,
  replaceLegacyKeys,
  trashByLegacyKeys,
} from "./legacy-keys.queries.ts";
import { listChoicesJson, listMatches, saveChoices } from "./names.queries.ts";
import { loadProposals } from "./proposals.service.ts";
import {
  addCellWarning,
  addDiffering,
  addError,
  createReport,
  type Report,
  reportJson,
} from "./report.rules.ts";
import { openTrainingFile, type TrainingFile } from "./training-file.rules.ts";

const [MAX_BATCH_WORKOUTS, MAX_BATCH_SETS] = [100, 2000];
const MAX_NAMES = 2000;
const DECODED_BYTES_PER_PAUSE = 1_048_576;

/** Thrown to roll back a dry run. */
const DRY_RUN = new Error("dry run");

/** What to do with known workouts whose content differs in the file. */
type Known = NonNullable<ImportQuery["known"]>;
type Target = {
  userId: string;
  importId: string;
  timeZone: string;
  legacyTimeZones: string[];
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
  { userId }: Actor,
  bytes: Uint8Array,
  { dryRun = false, known = "keep", ...options }: ImportQuery,
): Promise<string> {
  const pause = createPause();
  const file = await openTrainingFile(await decodeText(bytes, pause), options, pause);
  const propose = await loadProposals({ db, catalogCache }, userId);
  let report = createReport(file);
  let importId: string | null = null;
  try {
    await db.transaction(async (tx) => {
      // Inside the transaction, because it may be retried.
      report = createReport(file);
      const legacyTimeZones = await listLegacyTimeZones(tx, userId);
      const id = await insertImport(tx, userId, file.format);
      await replanForBulkInsert(tx);
      const { timeZone } = options;
      await writeAll(tx, { userId, importId: id, timeZone, legacyTimeZones, known }, file, report);
      await closeImport(tx, id, report.added);
      importId = report.added.workouts > 0 ? id : null;
      if (dryRun) throw DRY_RUN;
    });
  } catch (error) {
    if (error !== DRY_RUN) throw error;
  }
  const proposals = await propose(report.names);
  return reportJson(report, proposals, { importId: dryRun ? null : importId, dryRun });
}

/**
 * Undoes an import. Owner only. Throws not_found for another user's import, and for one that was
 * undone before.
 */
export async function undoImport(
  db: Db,
  actor: Actor,
  importId: string,
): Promise<{ trashed: number; kept: number }> {
  const counts = await trashImport(db, actor.userId, importId);
  if (!counts) throw new AppError("not_found", "imports.not_found", "Import not found");
  return counts;
}

/**
 * Stores which exercises the actor means by names, and returns all stored names as JSON. Throws
 * not_found.
 */
export async function chooseNames(
  db: Db,
  { userId }: Actor,
  { names }: ImportNamesPatch,
): Promise<string> {
  const missing = await saveChoices(db, userId, names);
  if (missing.length > 0) {
    const detail = `Exercises not found: ${listOfIds(missing.sort())}`;
    const fields = names.map(({ exerciseId: id }, index) => ({
      field: `/names/${index}/exerciseId`,
      id,
    }));
    throw idsNotFound("imports.exercise_not_found", detail, missing, fields);
  }
  return listChoicesJson(db, userId);
}

/** The file's text. Throws invalid when it is not UTF-8. */
async function decodeText(bytes: Uint8Array, pause: () => Promise<void>): Promise<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const chunks: string[] = [];
  try {
    for (let start = 0; start < bytes.byteLength; start += DECODED_BYTES_PER_PAUSE) {
      const chunk = bytes.subarray(start, start + DECODED_BYTES_PER_PAUSE);
      chunks.push(decoder.decode(chunk, { stream: true }));
      await pause();
    }
    chunks.push(decoder.decode());
  } catch (cause) {
    if (!(cause instanceof TypeError)) throw cause;
    throw new AppError("invalid", "imports.not_text", "The file is not valid UTF-8", { cause });
  }
  return chunks.join("");
}

async function writeAll(tx: Db, target: Target, file: TrainingFile, report: Report): Promise<void> {
  const batch: ImportedWorkout[] = [];
  let setCount = 0;
  for await (const event of file.events()) {
    if ("error" in event) addError(report, event.error);
    else if ("warning" in event) addCellWarning(report, event.warning);
    else {
      batch.push(event.workout);
      setCount += event.workout.exercises.reduce((sum, { sets }) => sum + sets.length, 0);
      if (batch.length < MAX_BATCH_WORKOUTS && setCount < MAX_BATCH_SETS) continue;
      await writeBatch(tx, target, report, batch.splice(0));
      setCount = 0;
    }
  }
  if (batch.length > 0) await writeBatch(tx, target, report, batch);
}

async function writeBatch(
  tx: Db,
  target: Target,
  report: Report,
  workouts: ImportedWorkout[],
): Promise<void> {
  const { userId, legacyTimeZones, known } = target;
  await matchNames(tx, userId, report, workouts);
  const { rows, warnings } = toRows(report, workouts);
  for (const warning of warnings) addCellWarning(report, warning);
  if (legacyTimeZones.length > 0) {
    const keys = workouts.flatMap((workout) => {
      const key = importKey(report.format, workout);
      return legacyKeys(report.format, workout, legacyTimeZones).map((legacyKey) => ({
        legacyKey,
        key,
      }));
    });
    await replaceLegacyKeys(tx, userId, keys);
  }
  const inserted = await insertImported(tx, target, rows);
  report.added.workouts += inserted.workouts;
  report.added.sets += inserted.sets;
  report.known += workouts.length - inserted.workouts;
  const replaceable = inserted.differing.filter((workout) => isReplaceable(known, workout));
  const isForced = known === "replaceChanged";
  const replaced =
    replaceable.length === 0 ? [] : await replaceImported(tx, userId, replaceable, rows, isForced);
  if (known !== "keep" && legacyTimeZones.length > 0) {
    const stillDiffering = inserted.differing
      .filter(({ workoutId }) => !replaced.includes(workoutId))
      .map(({ fileId }) => fileId);
    const keys = workouts
      .filter((_, index) => !stillDiffering.includes(rows.workouts[index]?.id as string))
      .flatMap((workout) => legacyPartKeys(report.format, workout, legacyTimeZones));
    await trashByLegacyKeys(tx, userId, keys, isForced);
  }
  const workoutById = new Map(rows.workouts.map(({ id }, index) => [id, workouts[index]]));
  for (const differing of inserted.differing) {
    const workout = workoutById.get(differing.fileId) as ImportedWorkout;
    addDiffering(report, workout, differing, replaced.includes(differing.workoutId));
  }
}

const isReplaceable = (known: Known, { isChanged }: DifferingWorkout) =>
  known === "replaceChanged" || (known === "replace" && !isChanged);

/** Looks up the names that are not in the report yet. */
async function matchNames(
  tx: Db,
  userId: string,
  report: Report,
  workouts: ImportedWorkout[],
): Promise<void> {
  const newNames = new Set(workouts.flatMap(({ exercises }) => exercises.map(({ name }) => name)));
  for (const name of report.names.keys()) newNames.delete(name);
  if (newNames.size === 0) return;
  if (report.names.size + newNames.size > MAX_NAMES) {
    const detail = `The file names more than ${MAX_NAMES} exercises`;
    throw new AppError("invalid", "imports.too_many_names", detail);
  }
  const matches = await listMatches(tx, userId, [...newNames]);
  const matchByName = new Map(matches.map((match) => [match.name, match]));
  for (const name of newNames)
    report.names.set(name, { setCount: 0, match: matchByName.get(name) });
}
