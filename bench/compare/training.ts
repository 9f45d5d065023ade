import { rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { startCluster } from "#db/embedded.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { median, ratioOfPairs } from "../figures/statistics.ts";
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
  /** Sets in the smaller database, and in the larger one. */
  small: number;
  large: number;
  rounds: number;
  /** Of each operation in each round. */
  runs: number;
  /** Pairs of runs beside pgbench, and how long one takes. */
  pairs: number;
  seconds: number;
  /** Also print how PostgreSQL goes about it in the larger database. */
  explain: boolean;
};

/** Athletes who ask, in turn; as many as the smaller database surely has. */
const PEOPLE = 8;

/**
 * What operations on one's training cost among many people's sets, beside few, and logging a set
 * beside pgbench.
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
      testBeds.push(await openTrainingTestBed(cluster, dir, name, PEOPLE));
    const [small, large] = testBeds as [TrainingTestBed, TrainingTestBed];
    const runs = `${options.rounds} rounds of ${options.runs} runs each, ${PEOPLE} athletes in turn, one connection`;
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

type Way = (testBed: TrainingTestBed, nth: number) => Promise<unknown>;

/**
 * One line: the ratio of medians of rounds in which both databases are asked in turn, with its
 * interval.
 */
async function compareSizes(
  operation: TrainingOperation,
  small: TrainingTestBed,
  large: TrainingTestBed,
  { rounds, runs }: TrainingOptions,
): Promise<string> {
  const ways: Way[] = [
    (testBed, nth) => ask(operation, testBed, nth),
    (testBed, nth) => operation.run(testBed.db, testBed, personOf(testBed, nth)),
  ];
  const figures: string[] = [];
  let shown = "";
  for (const way of ways) {
    for (let nth = 0; nth < 2 * PEOPLE; nth++)
      for (const testBed of [small, large]) await way(testBed, nth);
    const pairs: { a: number; b: number }[] = [];
    for (let round = 0; round < rounds; round++)
      pairs.push(await measureRound(way, small, large, runs));
    const { median: middle, low, high } = ratioOfPairs(pairs);
    figures.push(`${middle.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`.padEnd(20));
    shown ||= `${median(pairs.map(({ b }) => b)).toFixed(2)} → ${median(pairs.map(({ a }) => a)).toFixed(2)}`;
  }
  return `${operation.name.padEnd(24)} ${figures.join(" ")} ${shown}`;
}

async function measureRound(
  way: Way,
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
      await way(testBed, run);
      times.get(testBed)?.push(performance.now() - started);
    }
  }
  return { a: median(times.get(large) ?? []), b: median(times.get(small) ?? []) };
}

const personOf = ({ people }: TrainingTestBed, nth: number) =>
  people[nth % people.length] as TrainingTestBed["people"][number];

async function ask({ request }: TrainingOperation, testBed: TrainingTestBed, nth: number) {
  const person = personOf(testBed, nth);
  const { method, path, body } = request(testBed, person);
  const answer = await fetch(`http://localhost${path}`, {
    unix: testBed.server.socketPath,
    method,
    headers: {
      cookie: person.cookie,
      ...(body === undefined ? {} : { "content-type": "application/json" }),
    },
    ...(body === undefined ? {} : { body }),
  });
  const text = await answer.text();
  if (!answer.ok) throw new Error(`${method} ${path} was answered with ${answer.status}: ${text}`);
}

/** Prints the plan of each statement of an operation, as it ran. */
async function explain({ name, run }: TrainingOperation, testBed: TrainingTestBed) {
  const sent: { text: string; parameters: unknown[] }[] = [];
  const db = openPool(testBed.url, {
    size: 1,
    prepare: false,
    onStatement: (text, parameters) => void sent.push({ text, parameters }),
  });
  await run(db, testBed, personOf(testBed, 0));
  await db.close();
  for (const { text, parameters } of sent) {
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
