// The sampler as a process of its own, so that what it costs is its own. Argument: what to sample,
// as JSON. It says "ready", starts at "start", and at "stop" answers with what it saw.
import { openPool } from "#db/client.ts";
import { askMetrics, type Metrics } from "./metrics-text.ts";
import { countPostgres } from "./postgres-counters.ts";
import type { ProbeRecord } from "./probes.ts";
import { readText } from "./processes.ts";
import { createSampler, type ProbeTargets, type Sample } from "./sampler.ts";
import { createWaits, PROBES_NAME } from "./waits.ts";

const SAMPLES_MS = 250;
const METRICS_MS = 1000;

const targets = JSON.parse(process.argv[2] ?? "{}") as ProbeTargets;
const pool = await openConnection();
const looking = await openConnection();
const sampler = createSampler(targets, pool.sql);
const waits = await createWaits(looking.sql);
const samples: Sample[] = [];
let metrics: Metrics | null = null;
let isOver = false;

/** A pool of one, so that what is set stays set. */
async function openConnection() {
  const one = openPool(targets.databaseUrl, { size: 1, prepare: true });
  await one.sql`select set_config('pg_stat_statements.track', 'none', false), set_config('application_name', ${PROBES_NAME}, false)`;
  return one;
}

/** Runs `work` again and again, each time `ms` after it began. */
async function every(ms: number, work: () => Promise<unknown>): Promise<void> {
  while (!isOver) {
    const nextMs = performance.now() + ms;
    await work();
    await Bun.sleep(Math.max(nextMs - performance.now(), 0));
  }
}

const take = async () => void samples.push(await sampler.take(waits.read(), metrics));
const ask = async () => {
  metrics = await askMetrics(targets.serverSocketPath);
};
// Once before it counts, so that statements are prepared and code is compiled.
for (let time = 0; time < 5; time++) await Promise.all([waits.look(), take(), ask()]);

let finish: () => Promise<ProbeRecord>;

async function start() {
  samples.length = 0;
  await ask();
  const ended = await countPostgres(pool.sql);
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  sampler.restart();
  await take();
  const looping = Promise.all([
    every(SAMPLES_MS, take),
    every(0, waits.look),
    every(METRICS_MS, ask),
  ]);
  finish = async () => {
    isOver = true;
    await looping;
    await ask();
    await take();
    const { user, system } = process.cpuUsage(cpu);
    const ownCpuShare = (user + system) / 1000 / (performance.now() - startedMs);
    const isBlockIoAccounted = readText("/proc/sys/kernel/task_delayacct").trim() === "1";
    return { samples, postgres: await ended(), isBlockIoAccounted, ownCpuShare };
  };
}

process.on("message", async (message) => {
  if (message === "start") await start();
  if (message === "stop") {
    process.send?.(await finish());
    await Promise.all([pool.close(), looking.close()]);
    process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
