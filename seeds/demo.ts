import type { Db } from "#db/client.ts";
import { copyIn } from "#db/copy.ts";
import { findExercises, findTaken, insertAthletes, writePlans } from "./demo/accounts.ts";
import { type Athlete, inventAthlete } from "./demo/athletes.ts";
import { createWorkoutTables, type WorkoutTables } from "./demo/tables.ts";
import { type KnownExercise, logDay } from "./demo/training.ts";
import { catchUp, putOffTriggers } from "./demo/triggers.ts";

export type DemoOptions = {
  athletes: number;
  years: number;
  seed: number;
  /** Nobody can sign in to the accounts without. */
  passwordHash?: string;
  /**
   * Check foreign keys and record changes once for all rows, instead of for each; only a superuser
   * may.
   */
  fast?: boolean;
  /** Count everything, and write nothing. */
  dryRun?: boolean;
  /** Called now and then with the sets so far. */
  onProgress?: (sets: number) => void;
};

/**
 * What was added. `existing` counts athletes that were there already, and were left alone with
 * their training; `seconds` are those of the writing.
 */
export type DemoReport = {
  athletes: number;
  existing: number;
  workouts: number;
  sets: number;
  seconds: number;
};

const DAY_MS = 86_400_000;
/** Training ends before this day, whenever it is invented. */
const END_DAY = Date.UTC(2026, 0, 1) / DAY_MS;
/**
 * As many as are written in one transaction: their training is held in memory, a slice at a time.
 */
const TOGETHER = 2000;
/**
 * Transactions at a time, each on a connection of its own: two keep two cores busy while the third
 * is being invented.
 */
const LANES = 3;
/** Rows of sets that are sent at once, in bytes. */
const SLICE = 1024 * 1024;
/** No password has this hash, in form one of Argon2id. */
const NOBODYS =
  "$argon2id$v=19$m=19456,t=2,p=1$bm9ib2R5IHNpZ25zIGlu$AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA";

/**
 * Adds invented athletes with believable training over whole years of 365 days up to 2026: for the
 * same options the same rows with the same ids, but for the ids of exercises. Athletes whose
 * address is taken are left alone. An athlete is written with all training or not at all. Throws
 * OperatorError when the catalog lacks an exercise.
 */
export async function seedDemo(db: Db, options: DemoOptions): Promise<DemoReport> {
  const started = performance.now();
  const firstDay = END_DAY - 365 * options.years;
  const exercises = await findExercises(db);
  const report = { athletes: 0, existing: 0, workouts: 0, sets: 0, seconds: 0 };
  const pending = listShares(options.athletes);
  const work = async () => {
    for (let share = pending.shift(); share; share = pending.shift()) {
      await writeShare(db, inventShare(share, firstDay, options), {
        firstDay,
        exercises,
        options,
        report,
      });
    }
  };
  await inLanes(work);
  report.seconds = (performance.now() - started) / 1000;
  // Whoever asks first would have plans as for empty tables.
  if (report.athletes > 0 && !options.dryRun) {
    for (const table of ["workouts", "workout_exercises", "workout_sets"])
      await db.sql`analyze ${db.sql(table)}`;
  }
  return report;
}

type Share = { from: number; to: number };

/**
 * Athletes from 1, as many to a transaction as make all of about the same length, and a transaction
 * to each lane.
 */
function listShares(athletes: number): Share[] {
  const count = Math.max(Math.min(LANES, athletes), Math.ceil(athletes / TOGETHER));
  return Array.from({ length: count }, (_, at) => ({
    from: 1 + Math.floor((at * athletes) / count),
    to: Math.floor(((at + 1) * athletes) / count),
  }));
}

const inventShare = ({ from, to }: Share, firstDay: number, { seed }: DemoOptions): Athlete[] =>
  Array.from({ length: to - from + 1 }, (_, at) =>
    inventAthlete(seed, from + at, firstDay, END_DAY),
  );

/** All lanes end before a failure of one is thrown: none writes on behind the caller's back. */
async function inLanes(work: () => Promise<void>) {
  const ended = await Promise.allSettled(Array.from({ length: LANES }, work));
  for (const lane of ended) if (lane.status === "rejected") throw lane.reason;
}

type Course = {
  firstDay: number;
  exercises: Map<string, KnownExercise>;
  options: DemoOptions;
  report: DemoReport;
};

async function writeShare(db: Db, athletes: Athlete[], course: Course) {
  const { options, firstDay } = course;
  if (options.dryRun) {
    const taken = await findTaken(
      db,
      athletes.map(({ email }) => email),
    );
    const missing = athletes.filter(({ email }) => !taken.has(email));
    await train(missing, athletes.length, course, async (tables) => {
      for (const rows of Object.values(tables)) rows.take();
    });
    return;
  }
  await db.transaction(async (tx) => {
    const createdAt = new Date(firstDay * DAY_MS);
    const added = await insertAthletes(tx, athletes, {
      passwordHash: options.passwordHash ?? NOBODYS,
      createdAt,
    });
    await writePlans(tx, added, course.exercises, createdAt.getTime());
    if (options.fast) await putOffTriggers(tx, course.exercises);
    const sets = await train(added, athletes.length, course, (tables) => send(tx, tables));
    if (options.fast) await catchUp(tx, added, sets);
  });
}

/**
 * Invents the training of all athletes day by day, so that rows and ids come about in the order of
 * time, as those of real people do: an index that is written at its end is written faster. Hands it
 * on in slices; returns the sets.
 */
async function train(
  athletes: Athlete[],
  asked: number,
  { firstDay, exercises, options, report }: Course,
  handOn: (tables: WorkoutTables) => Promise<void>,
): Promise<number> {
  let sets = 0;
  const journal = { firstDay, exercises, tables: createWorkoutTables() };
  const next = async () => {
    report.workouts += journal.tables.workouts.count;
    report.sets += journal.tables.sets.count;
    sets += journal.tables.sets.count;
    await handOn(journal.tables);
    options.onProgress?.(report.sets);
  };
  for (let day = firstDay; day < END_DAY; day++) {
    for (const athlete of athletes) {
      logDay(athlete, day, journal);
      if (journal.tables.sets.size() > SLICE) await next();
    }
  }
  await next();
  report.athletes += athletes.length;
  report.existing += asked - athletes.length;
  return sets;
}

async function send(tx: Db, { workouts, exercises, sets }: WorkoutTables) {
  for (const rows of [workouts, exercises, sets]) await copyIn(tx, rows);
}
