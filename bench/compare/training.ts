import { rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { startCluster } from "#db/embedded-postgres.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText, median, ratioOfPairs } from "../figures/statistics.ts";
import { pin } from "../hosts/pinning.ts";
import { listProcesses } from "../probes/process-tree.ts";
import {
  fillTrainingTestBed,
  openTrainingTestBed,
  type TrainingTestBed,
} from "../testbed/training-testbed.ts";
import { OPERATIONS, type TrainingOperation } from "./training-operations.ts";
import { compareWithPgbench } from "./training-pgbench.ts";

export type TrainingOptions = {
  /** Sets in the smaller and in the larger database. */
  small: number;
  large: number;
  rounds: number;
  /** Runs of each operation in each round. */
  runs: number;
  /** Pairs of runs with pgbench, and the length of a run. */
  pairs: number;
  seconds: number;
  /** Also print PostgreSQL's plans in the larger database. */
  explain: boolean;
};

/** The number of athletes, used round robin; the smaller database must have at least as many. */
const ATHLETES = 8;

/**
 * Compares training operations in a large database with those in a small one, and the application
 * with pgbench at logging sets; prints the ratios.
 */
export async function benchTraining(options: TrainingOptions): Promise<void> {
  const dir = temporaryDirectory("training");
  const cluster = await startCluster(
    {
      dataDir: join(dir, "data"),
      socketDir: join(dir, "postgres"),
      logFile: join(dir, "postgres.log"),
    },
    { durable: false, settings: { max_wal_size: "16GB" } },
  );
  const testBeds: TrainingTestBed[] = [];
  try {
    for (const name of ["small", "large"] as const)
      await fillTrainingTestBed(cluster, name, options[name]);
    pin(listProcesses(cluster.pid() as number), "postgres");
    for (const name of ["small", "large"])
      testBeds.push(await openTrainingTestBed(cluster, dir, name, ATHLETES));
    const [small, large] = testBeds as [TrainingTestBed, TrainingTestBed];
    const runs = `${options.rounds} rounds of ${options.runs} runs each, ${ATHLETES} athletes in turn, one connection`;
    console.log(`p50 among ${large.sets} sets / among ${small.sets}, ${runs}\n`);
    console.log(`${"".padEnd(24)} over HTTP            without HTTP         p50 over HTTP, ms`);
    for (const operation of OPERATIONS)
      console.log(await compareSizes(operation, small, large, options));
    if (options.explain) for (const operation of OPERATIONS) await explain(operation, large);
    await small.close();
    testBeds.shift();
    console.log(
      `\nlogging a set, requests per second / pgbench: ${await compareWithPgbench(large, options)}`,
    );
  } finally {
    for (const testBed of testBeds) await testBed.close();
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

type Variant = (testBed: TrainingTestBed, nth: number) => Promise<unknown>;

/**
 * One line: the ratio of the medians of rounds that alternate between both databases, with its
 * interval.
 */
async function compareSizes(
  operation: TrainingOperation,
  small: TrainingTestBed,
  large: TrainingTestBed,
  { rounds, runs }: TrainingOptions,
): Promise<string> {
  const variants: Variant[] = [
    (testBed, nth) => send(operation, testBed, nth),
    (testBed, nth) => operation.run(testBed.db, testBed, athleteOf(testBed, nth)),
  ];
  const figures: string[] = [];
  let medians = "";
  for (const variant of variants) {
    for (let nth = 0; nth < 2 * ATHLETES; nth++)
      for (const testBed of [small, large]) await variant(testBed, nth);
    const pairs: { a: number; b: number }[] = [];
    for (let round = 0; round < rounds; round++)
      pairs.push(await measureRound(variant, small, large, runs));
    figures.push(estimateText(ratioOfPairs(pairs)).padEnd(20));
    medians ||= `${median(pairs.map(({ b }) => b)).toFixed(2)} → ${median(pairs.map(({ a }) => a)).toFixed(2)}`;
  }
  return `${operation.name.padEnd(24)} ${figures.join(" ")} ${medians}`;
}

async function measureRound(
  variant: Variant,
  small: TrainingTestBed,
  large: TrainingTestBed,
  runs: number,
): Promise<{ a: number; b: number }> {
  const times = new Map<TrainingTestBed, number[]>([
    [small, []],
    [large, []],
  ]);
  for (let run = 0; run < runs; run++) {
    for (const testBed of run % 2 === 0 ? [small, large] : [large, small]) {
      const started = performance.now();
      await variant(testBed, run);
      times.get(testBed)?.push(performance.now() - started);
    }
  }
  return { a: median(times.get(large) ?? []), b: median(times.get(small) ?? []) };
}

const athleteOf = ({ people }: TrainingTestBed, nth: number) =>
  people[nth % people.length] as TrainingTestBed["people"][number];

async function send({ request }: TrainingOperation, testBed: TrainingTestBed, nth: number) {
  const athlete = athleteOf(testBed, nth);
  const { method, path, body } = request(testBed, athlete);
  const answer = await fetch(`http://localhost${path}`, {
    unix: testBed.server.socketPath,
    method,
    headers: {
      cookie: athlete.cookie,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
}

/** Prints the plan of each statement of an operation, from running it. */
async function explain({ name, run }: TrainingOperation, testBed: TrainingTestBed) {
  const statements: { text: string; parameters: unknown[] }[] = [];
  const db = openPool(testBed.url, {
    size: 1,
    prepare: false,
    onStatement: (text, parameters) => void statements.push({ text, parameters }),
  });
  await run(db, testBed, athleteOf(testBed, 0));
  await db.close();
  for (const { text, parameters } of statements) {
    if (!/select|insert|update/i.test(text) || text.includes("pg_catalog")) continue;
    const plan = await testBed.db.sql.unsafe(
      `explain (analyze, buffers) ${text}`,
      parameters as string[],
      {
        prepare: false,
      },
    );
    console.log(`\n${name}\n${plan.map((line) => line["QUERY PLAN"]).join("\n")}`);
  }
}
