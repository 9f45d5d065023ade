import type { Db } from "#db/client.ts";
import { expectGrowth } from "#db/growth.ts";
import type { Actor } from "../actor.ts";
import { AppError, idsNotFound, listOfIds } from "../errors.ts";
import { type Format, type ImportedWorkout, type RowError, readTraining } from "./formats.rules.ts";
import { importKey, inMode, modeOf } from "./imported-rows.rules.ts";
import { closeImport, type ImportedRows, insertImport, insertImported, undoImport } from "./imports.queries.ts";
import type { ImportNamesPatch, ImportQuestion } from "./imports.schemas.ts";
import { chooseNames, listChosenJson, listNamed, listProposals, type NamedExercise } from "./names.queries.ts";

const WORKOUTS_AT_ONCE = 100;
const MOST_ERRORS = 100;
const MOST_NAMES = 2000;

/** A name of the file, in how many sets it stands, and what it means; undefined for nothing that we know. */
type Name = { setCount: number; meant: NamedExercise | undefined };

type Reading = {
  format: Format | undefined;
  names: Map<string, Name>;
  occurrences: Map<string, number>;
  added: { workouts: number; sets: number };
  known: number;
  errors: RowError[];
  errorCount: number;
};

const newReading = (): Reading => ({
  format: undefined,
  names: new Map(),
  occurrences: new Map(),
  added: { workouts: 0, sets: 0 },
  known: 0,
  errors: [],
  errorCount: 0,
});

/** Thrown to roll back what a dry run did. */
const DRY_RUN = new Error("dry run");

/**
 * Reads a file of another app's training into the actor's own, or on a dry run does so and takes it back, and returns a
 * report as JSON. Workouts that an earlier import brought are left as they are; rows that make no sense are left out and
 * reported, the others go on; names that mean no exercise of ours stay names. One transaction; at most two statements for
 * every hundred workouts. Throws invalid for a file of no format that we know, of which weights have no unit, that is not
 * UTF-8, or that names more than 2,000 exercises.
 */
export async function importTraining(
  db: Db,
  actor: Actor,
  file: Uint8Array,
  { dryRun: isDryRun = false, ...options }: ImportQuestion,
): Promise<string> {
  let reading = newReading();
  let importId: string | undefined;
  try {
    importId = await db.transaction(async (tx) => {
      // Here and not above: it may run again.
      reading = newReading();
      let id: string | undefined;
      await expectGrowth(tx);
      const batch: ImportedWorkout[] = [];
      const flush = async () => {
        if (batch.length === 0) return;
        id ??= await insertImport(tx, actor.userId, reading.format as Format);
        await writeBatch(
          tx,
          { userId: actor.userId, importId: id, timeZone: options.timeZone },
          reading,
          batch.splice(0),
        );
      };
      for await (const event of readTraining(textOf(file), options)) {
        if ("format" in event) reading.format = event.format;
        else if ("error" in event) noteError(reading, event.error);
        else if (batch.push(event.workout) === WORKOUTS_AT_ONCE) await flush();
      }
      await flush();
      if (id) await closeImport(tx, id, reading.added);
      if (isDryRun) throw DRY_RUN;
      return id;
    });
  } catch (error) {
    if (error !== DRY_RUN) throw error;
  }
  const isAdded = !isDryRun && reading.added.workouts > 0;
  return reportOf(db, actor, reading, { importId: isAdded ? importId : null, dryRun: isDryRun });
}

/** Takes an import back. Owner only. Throws not_found for anyone else's, and for one that was taken back before. */
export async function takeBack(db: Db, actor: Actor, importId: string): Promise<{ trashed: number; kept: number }> {
  const undone = await undoImport(db, actor.userId, importId);
  if (!undone) throw new AppError("not_found", "imports.not_found", "Import not found");
  return undone;
}

/** Remembers which exercises the actor means by names, and returns all that are remembered as JSON. Throws not_found. */
export async function rememberNames(db: Db, actor: Actor, { names }: ImportNamesPatch): Promise<string> {
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

/** The file's text, a piece at a time. Throws invalid when it is not UTF-8. */
async function* textOf(file: Uint8Array): AsyncGenerator<string> {
  const decoder = new TextDecoder("utf-8", { fatal: true });
  const pieceBytes = 65_536;
  try {
    for (let at = 0; at < file.byteLength; at += pieceBytes) {
      yield decoder.decode(file.subarray(at, at + pieceBytes), { stream: true });
    }
    yield decoder.decode();
  } catch (cause) {
    throw new AppError("invalid", "imports.not_text", "The file is not valid UTF-8", { cause });
  }
}

function noteError(reading: Reading, error: RowError): void {
  reading.errorCount++;
  if (reading.errors.length < MOST_ERRORS) reading.errors.push(error);
}

async function writeBatch(
  tx: Db,
  into: { userId: string; importId: string; timeZone: string },
  reading: Reading,
  workouts: ImportedWorkout[],
): Promise<void> {
  const fresh = new Set(workouts.flatMap(({ exercises }) => exercises.map(({ name }) => name)));
  for (const name of reading.names.keys()) fresh.delete(name);
  if (reading.names.size + fresh.size > MOST_NAMES) {
    const detail = `The file names more than ${MOST_NAMES} exercises`;
    throw new AppError("invalid", "imports.too_many_names", detail);
  }
  const named = fresh.size === 0 ? [] : await listNamed(tx, into.userId, [...fresh]);
  const found = new Map(named.map((one) => [one.name, one]));
  for (const name of fresh) reading.names.set(name, { setCount: 0, meant: found.get(name) });
  const made = await insertImported(tx, into, rowsOf(reading, workouts));
  reading.added.workouts += made.workouts;
  reading.added.sets += made.sets;
  reading.known += workouts.length - made.workouts;
}

function rowsOf(reading: Reading, workouts: ImportedWorkout[]): ImportedRows {
  const rows: ImportedRows = { workouts: [], exercises: [], sets: [] };
  for (const workout of workouts) {
    const id = Bun.randomUUIDv7();
    const identity = `${workout.startedAt} ${workout.name}`;
    const occurrence = (reading.occurrences.get(identity) ?? 0) + 1;
    reading.occurrences.set(identity, occurrence);
    const { name, startedAt, endedAt, notes } = workout;
    const key = importKey(reading.format as Format, workout, occurrence);
    rows.workouts.push({ id, key, name, started_at: startedAt, ended_at: endedAt, notes });
    for (const [at, exercise] of workout.exercises.entries()) {
      const known = reading.names.get(exercise.name) as Name;
      known.setCount += exercise.sets.length;
      const entryId = Bun.randomUUIDv7();
      const mode = modeOf(exercise);
      rows.exercises.push({
        id: entryId,
        workout_id: id,
        position: at + 1,
        exercise_id: known.meant?.exerciseId ?? null,
        exercise_name: known.meant?.exerciseName ?? exercise.name,
        mode,
        superset_group: exercise.supersetGroup,
        notes: exercise.notes,
      });
      for (const [n, given] of exercise.sets.entries()) {
        const { type, weight, weightUnit, reps, timeS, distanceM, rpe, note } = inMode(given, mode);
        rows.sets.push({
          workout_exercise_id: entryId,
          mode,
          position: n + 1,
          type,
          weight,
          weight_unit: weightUnit,
          reps,
          time_s: timeS,
          distance_m: distanceM,
          rpe,
          note,
        });
      }
    }
  }
  return rows;
}

async function reportOf(
  db: Db,
  actor: Actor,
  { format, names, added, known, errors, errorCount }: Reading,
  { importId, dryRun }: { importId: string | null | undefined; dryRun: boolean },
): Promise<string> {
  const unknown = [...names].filter(([, { meant }]) => !meant).map(([name]) => name);
  const proposed = unknown.length === 0 ? [] : await listProposals(db, actor.userId, unknown);
  const proposals = new Map(unknown.map((name, at) => [name, proposed[at] ?? []]));
  return JSON.stringify({
    importId: importId ?? null,
    dryRun,
    format,
    workouts: { added: added.workouts, known },
    sets: added.sets,
    names: [...names].map(([name, { setCount, meant }]) => ({
      name,
      setCount,
      exerciseId: meant?.exerciseId ?? null,
      exerciseName: meant?.exerciseName ?? null,
      by: meant?.by ?? null,
      proposals: proposals.get(name) ?? [],
    })),
    errors,
    errorCount,
  });
}
