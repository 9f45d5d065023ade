import { type Db, openPool } from "#db/client.ts";
import type { ProfileName } from "../disk/profiles.ts";
import { intervalOf } from "../figures/interval.ts";
import type { Measured, TableRow } from "../figures/table.ts";
import { distributionOf } from "../load/recording.ts";
import { cpuNsOf } from "../probes/cpu-time.ts";
import { DB_SCENARIOS, type DbScenario, makeSubject, type Subject } from "../suites/db.ts";
import { PEOPLE } from "../suites/scenario.ts";
import { serverVersion } from "../testbed/embedded-postgres.ts";
import { makeFixtureSets } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed } from "../testbed/testbed.ts";

type Options = { runs: number; seconds: number; profile: ProfileName; onStep(step: string): void };

/** As many connections, and callers, as a process of the application has connections. */
const CALLERS = 8;

/**
 * Calls each statement's function on a pool like the application's: with one caller for its
 * latency, and with eight for its throughput. Each run uses another account's training.
 */
export async function runDb(names: string[], options: Options): Promise<Measured> {
  const testBed = await openTestBed({ profile: options.profile });
  const pool = openPool(testBed.databaseUrl, { size: CALLERS, prepare: true });
  try {
    testBed.disk.emulateDelays(false);
    const subjects: Subject[] = [];
    for (const fixtures of await makeFixtureSets(testBed, PEOPLE))
      subjects.push(await makeSubject(fixtures));
    testBed.disk.emulateDelays(true);
    const rows: TableRow[] = [];
    for (const scenario of DB_SCENARIOS.filter(({ name }) => names.includes(name))) {
      options.onStep(scenario.name);
      rows.push(await measureStatement(testBed, pool, subjects, scenario, options));
    }
    const about = `Each statement alone on a pool of ${CALLERS}, ${options.runs} runs of ${options.seconds} s with one caller and with ${CALLERS}; 95 % of the mean of runs.`;
    return { about, rows, postgres: await serverVersion(testBed.db) };
  } finally {
    await pool.close();
    await testBed.close();
  }
}

async function measureStatement(
  testBed: TestBed,
  db: Db,
  subjects: Subject[],
  { name, run }: DbScenario,
  { runs, seconds }: Options,
): Promise<TableRow> {
  const subject = (n: number) => subjects[n % subjects.length] as Subject;
  const alone: CallCosts[] = [];
  const together: CallCosts[] = [];
  // Every connection reaches its generic plan, which takes five executions.
  await callRepeatedly(CALLERS, 0.2, (n) => run(db, subject(n), n));
  await testBed.db.sql`vacuum analyze`;
  for (let nth = 0; nth < runs; nth++) {
    alone.push(
      await withCosts(testBed, () => callRepeatedly(1, seconds, (n) => run(db, subject(nth), n))),
    );
    together.push(
      await withCosts(testBed, () =>
        callRepeatedly(CALLERS, seconds, (n) => run(db, subject(n), n)),
      ),
    );
  }
  const p99s = alone.flatMap(({ p99Us }) => p99Us ?? []);
  return {
    scenario: name,
    figures: {
      meanUs: intervalOf(alone.map(({ meanUs }) => meanUs)),
      p50Us: intervalOf(alone.map(({ p50Us }) => p50Us)),
      ...(p99s.length === runs ? { p99Us: intervalOf(p99s) } : {}),
      postgresCpuUs: intervalOf(alone.map(({ postgresUs }) => postgresUs)),
      flushes: intervalOf(alone.map(({ flushes }) => flushes)),
      perSecondOfEight: intervalOf(together.map(({ perSecond }) => perSecond)),
    },
  };
}

type CallTimes = {
  count: number;
  meanUs: number;
  p50Us: number;
  p99Us: number | undefined;
  perSecond: number;
};
type CallCosts = CallTimes & { postgresUs: number; flushes: number };

/** Runs `work` repeatedly in `callers` concurrent loops for `seconds`. */
async function callRepeatedly(
  callers: number,
  seconds: number,
  work: (n: number) => Promise<unknown>,
): Promise<CallTimes> {
  const durationsUs: number[] = [];
  const startedMs = performance.now();
  const endMs = startedMs + seconds * 1000;
  let n = 0;
  const caller = async () => {
    while (performance.now() < endMs) {
      const fromMs = performance.now();
      await work(n++);
      durationsUs.push((performance.now() - fromMs) * 1000);
    }
  };
  await Promise.all(Array.from({ length: callers }, caller));
  const perSecond = (durationsUs.length / (performance.now() - startedMs)) * 1000;
  const { count, mean, percentiles } = distributionOf(Float64Array.from(durationsUs));
  return {
    count,
    meanUs: mean,
    p50Us: percentiles[0.5] ?? mean,
    p99Us: percentiles[0.99],
    perSecond,
  };
}

/** Adds what PostgreSQL and the disk did for each call. */
async function withCosts(testBed: TestBed, work: () => Promise<CallTimes>): Promise<CallCosts> {
  const read = () => ({
    flushes: testBed.disk.counts().flushes,
    cpuNs: testBed.postgresPids().reduce((sum, pid) => sum + cpuNsOf(pid), 0),
  });
  const before = read();
  const times = await work();
  const after = read();
  return {
    ...times,
    postgresUs: (after.cpuNs - before.cpuNs) / 1000 / times.count,
    flushes: (after.flushes - before.flushes) / times.count,
  };
}
