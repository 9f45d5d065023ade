import type { Db } from "#db/client.ts";
import { copyIn } from "#db/copy.ts";
import { findExercises, findExistingEmails, insertAthletes, writePlans } from "./demo/accounts.ts";
import { type Athlete, generateAthlete } from "./demo/athletes.ts";
import { createWorkoutTables, type WorkoutTables } from "./demo/tables.ts";
import { type KnownExercise, logDay } from "./demo/training.ts";
import { disableTriggers, replaceTriggers } from "./demo/triggers.ts";

export type DemoOptions = {
  athletes: number;
  years: number;
  seed: number;
  /** Without it, the accounts have no usable password. */
  passwordHash?: string;
  /** Checks foreign keys and records changes in bulk instead of per row. Needs a superuser. */
  fast?: boolean;
  /** Counts everything and writes nothing. */
  dryRun?: boolean;
  /** Called repeatedly with the number of sets so far. */
  onProgress?: (sets: number) => void;
};

/**
 * The rows added. `existing` counts athletes that existed already and were not changed; `seconds` is
 * the duration.
 */
export type DemoReport = {
  athletes: number;
  existing: number;
  workouts: number;
  sets: number;
  seconds: number;
};

const DAY_MS = 86_400_000;
/** Training ends before this day, independent of the current date. */
const END_DAY = Date.UTC(2026, 0, 1) / DAY_MS;
/** The maximum number of athletes per transaction. */
const BATCH_SIZE = 2000;
/** Concurrent transactions. Two keep two cores of the server busy while a third is generated. */
const WORKERS = 3;
/** The size of a buffer of sets when it is sent, in bytes. */
const FLUSH_BYTES = 1024 * 1024;
/** A well-formed Argon2id hash that matches no password. */
const UNUSABLE_HASH =
  "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IHNpZ25zIGlu$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/**
 * Adds generated athletes with realistic training over whole years of 365 days up to 2026. The same
 * options generate the same rows and ids, except for the ids of exercises. Skips athletes whose
 * email address exists. Writes an athlete with all training or not at all. Throws OperatorError if
 * the catalog lacks an exercise.
 */
export async function seedDemo(db: Db, options: DemoOptions): Promise<DemoReport> {
  const started = performance.now();
  const firstDay = END_DAY - 365 * options.years;
  const exercises = await findExercises(db);
  const report = { athletes: 0, existing: 0, workouts: 0, sets: 0, seconds: 0 };
  const pending = listBatches(options.athletes);
  const context = { firstDay, exercises, options, report };
  await runConcurrently(async () => {
    for (let batch = pending.shift(); batch; batch = pending.shift())
      await writeBatch(db, generateBatch(batch, firstDay, options), context);
  });
  report.seconds = (performance.now() - started) / 1000;
  // Without statistics, the first requests would be planned as for empty tables.
  if (report.athletes > 0 && !options.dryRun) {
    for (const table of ["workouts", "workout_exercises", "workout_sets"])
      await db.sql`analyze ${db.sql(table)}`;
  }
  return report;
}

type Batch = { from: number; to: number };

/** Divides athletes 1 to `athletes` into batches of about the same size, at least one per worker. */
function listBatches(athletes: number): Batch[] {
  const count = Math.max(Math.min(WORKERS, athletes), Math.ceil(athletes / BATCH_SIZE));
  return Array.from({ length: count }, (_, index) => ({
    from: 1 + Math.floor((index * athletes) / count),
    to: Math.floor(((index + 1) * athletes) / count),
  }));
}

const generateBatch = ({ from, to }: Batch, firstDay: number, { seed }: DemoOptions): Athlete[] =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    generateAthlete(seed, from + index, firstDay, END_DAY),
  );

/** Runs `work` in each worker. Waits for all of them before it throws the error of one. */
async function runConcurrently(work: () => Promise<void>) {
  const results = await Promise.allSettled(Array.from({ length: WORKERS }, work));
  for (const result of results) if (result.status === "rejected") throw result.reason;
}

type Context = {
  firstDay: number;
  exercises: Map<string, KnownExercise>;
  options: DemoOptions;
  report: DemoReport;
};

async function writeBatch(db: Db, athletes: Athlete[], context: Context) {
  const { options, firstDay } = context;
  if (options.dryRun) {
    const existing = await findExistingEmails(
      db,
      athletes.map(({ email }) => email),
    );
    const missing = athletes.filter(({ email }) => !existing.has(email));
    await train(missing, athletes.length, context, async (tables) => {
      for (const rows of Object.values(tables)) rows.take();
    });
    return;
  }
  await db.transaction(async (tx) => {
    const createdAt = new Date(firstDay * DAY_MS);
    const added = await insertAthletes(tx, athletes, {
      passwordHash: options.passwordHash ?? UNUSABLE_HASH,
      createdAt,
    });
    await writePlans(tx, added, context.exercises, createdAt.getTime());
    if (options.fast) await disableTriggers(tx, context.exercises);
    const sets = await train(added, athletes.length, context, (tables) => send(tx, tables));
    if (options.fast) await replaceTriggers(tx, added, sets);
  });
}

/**
 * Generates the training of all athletes day by day and returns the number of sets. Rows and ids are
 * in chronological order, as with real users, which makes inserting into indexes faster. Calls
 * `flush` when the buffers are full.
 */
async function train(
  athletes: Athlete[],
  requested: number,
  { firstDay, exercises, options, report }: Context,
  flush: (tables: WorkoutTables) => Promise<void>,
): Promise<number> {
  let sets = 0;
  const journal = { firstDay, exercises, tables: createWorkoutTables() };
  const flushTables = async () => {
    report.workouts += journal.tables.workouts.count;
    report.sets += journal.tables.sets.count;
    sets += journal.tables.sets.count;
    await flush(journal.tables);
    options.onProgress?.(report.sets);
  };
  for (let day = firstDay; day < END_DAY; day++) {
    for (const athlete of athletes) {
      logDay(athlete, day, journal);
      if (journal.tables.sets.size() > FLUSH_BYTES) await flushTables();
    }
  }
  await flushTables();
  report.athletes += athletes.length;
  report.existing += requested - athletes.length;
  return sets;
}

async function send(tx: Db, { workouts, exercises, sets }: WorkoutTables) {
  for (const rows of [workouts, exercises, sets]) await copyIn(tx, rows);
}
