// Runs the sampler in its own process, so that its costs are separate. Argument: the targets as
// JSON. It sends "ready", starts on "start", and answers "stop" with its record.
import { openPool } from "#db/client.ts";
import { readText } from "../hosts/system-files.ts";
import { fetchMetrics, type Metrics } from "./metrics-text.ts";
import { countPostgres } from "./postgres-counters.ts";
import type { ProbeRecord } from "./probes.ts";
import { createSampler, type ProbeTargets, type Sample } from "./sampler.ts";
import { createWaits, PROBES_NAME } from "./waits.ts";

const SAMPLES_MS = 250;
const METRICS_MS = 1000;

const targets = JSON.parse(process.argv[2] ?? "{}") as ProbeTargets;
const pool = await openConnection();
const waitsPool = await openConnection();
const sampler = createSampler(targets, pool.sql);
const waits = await createWaits(waitsPool.sql);
const samples: Sample[] = [];
let metrics: Metrics | null = null;
let isOver = false;

/** A pool of one connection, so that its settings persist. */
async function openConnection() {
  const pool = openPool(targets.databaseUrl, { size: 1, prepare: true });
  await pool.sql`select set_config('pg_stat_statements.track', 'none', false), set_config('application_name', ${PROBES_NAME}, false)`;
  return pool;
}

/** Runs `work` repeatedly, `ms` from start to start. */
async function every(ms: number, work: () => Promise<unknown>): Promise<void> {
  while (!isOver) {
    const nextMs = performance.now() + ms;
    await work();
    await Bun.sleep(Math.max(nextMs - performance.now(), 0));
  }
}

const takeSample = async () => void samples.push(await sampler.takeSample(waits.read(), metrics));
const updateMetrics = async () => {
  metrics = await fetchMetrics(targets.serverSocketPath);
};
// Prepares statements and compiles code before the first sample that counts.
for (let time = 0; time < 5; time++)
  await Promise.all([waits.sample(), takeSample(), updateMetrics()]);

let finish: () => Promise<ProbeRecord>;

async function start() {
  samples.length = 0;
  await updateMetrics();
  const ended = await countPostgres(pool.sql);
  const cpu = process.cpuUsage();
  const startedMs = performance.now();
  sampler.restart();
  await takeSample();
  const looping = Promise.all([
    every(SAMPLES_MS, takeSample),
    every(0, waits.sample),
    every(METRICS_MS, updateMetrics),
  ]);
  finish = async () => {
    isOver = true;
    await looping;
    await updateMetrics();
    await takeSample();
    const { user, system } = process.cpuUsage(cpu);
    const ownCpuShare = (user + system) / 1000 / (performance.now() - startedMs);
    const isBlockIoAccounted = readText("/proc/sys/kernel/task_delayacct") === "1";
    return { samples, postgres: await ended(), isBlockIoAccounted, ownCpuShare };
  };
}

process.on("message", async (message) => {
  if (message === "start") await start();
  if (message === "stop") {
    process.send?.(await finish());
    await Promise.all([pool.close(), waitsPool.close()]);
    process.exit(0);
  }
});
process.on("disconnect", () => process.exit(0));
process.send?.("ready");
