import { rmSync } from "node:fs";
import { openPool, type Pool } from "#db/client.ts";
import type { Cluster } from "#db/embedded-postgres.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { QUIET, startClusterOn } from "../disk/cluster.ts";
import { type Grouping, measureGrouping } from "../disk/grouping.ts";
import { evictPages } from "../disk/page-cache.ts";
import { type OpenedDisk, type ProfileName, profileOf } from "../disk/profiles.ts";
import { intervalOf } from "../figures/interval.ts";
import { mulberry32 } from "../figures/statistics.ts";
import type { Measured, TableRow } from "../figures/table.ts";
import { serverVersion } from "../testbed/embedded-postgres.ts";
import type { SuiteScenario } from "./scenario.ts";

/** PostgreSQL on the disk, without the application. */
export const IO_SCENARIOS: SuiteScenario[] = [
  { name: "commit", about: "one client, one commit after the other" },
  { name: "group-commit", about: "8 and 32 clients: how many commits share a flush" },
  { name: "cold-read", about: "one page of a table that is not cached" },
  { name: "checkpoint", about: "commits during a checkpoint, beside those before it" },
];

type Options = { runs: number; seconds: number; profile: ProfileName; onStep(step: string): void };

/** Runs each scenario `runs` times on its own PostgreSQL. */
export async function runIo(names: string[], options: Options): Promise<Measured> {
  const { runs, profile, onStep } = options;
  const rows: TableRow[] = [];
  let postgres = "?";
  await withCluster(profile, async (cluster, db, disk) => {
    postgres = await serverVersion(db);
    const clients = [
      ...(names.includes("commit") ? [1] : []),
      ...(names.includes("group-commit") ? [8, 32] : []),
    ];
    disk.emulateDelays(true);
    if (clients.length > 0) {
      onStep("commits");
      rows.push(...(await commits(cluster, disk, clients, options)));
    }
    if (!names.includes("cold-read") && !names.includes("checkpoint")) return;
    onStep("a table of 64 MiB");
    disk.emulateDelays(false);
    await db.sql`create table pages as select id, repeat('x', 1000) as filler from generate_series(1, 57344) as id`;
    disk.emulateDelays(true);
    if (names.includes("cold-read")) rows.push(await coldRead(db, disk, runs, onStep));
    if (names.includes("checkpoint")) rows.push(await checkpoint(cluster, db, runs, onStep));
  });
  return { about: `${runs} runs of each; 95 % of the mean of runs.`, rows, postgres };
}

async function commits(
  cluster: Cluster,
  disk: OpenedDisk,
  clients: number[],
  options: Options,
): Promise<TableRow[]> {
  const { runs, seconds } = options;
  const groupings: Grouping[] = [];
  for (let run = 0; run < runs; run++) {
    groupings.push(...(await measureGrouping(cluster.url("postgres"), disk, clients, seconds)));
  }
  return clients.map((count) => {
    const ofClients = groupings.filter((one) => one.clients === count);
    return {
      scenario: count === 1 ? "commit" : `group-commit, ${count} clients`,
      figures: {
        commitsPerSecond: intervalOf(ofClients.map((one) => one.commitsPerSecond)),
        flushesPerSecond: intervalOf(ofClients.map((one) => one.flushesPerSecond)),
        commitsPerFlush: intervalOf(ofClients.map((one) => one.commitsPerFlush)),
      },
    };
  });
}

async function withCluster(
  profile: ProfileName,
  work: (cluster: Cluster, db: Pool, disk: OpenedDisk) => Promise<void>,
) {
  const directory = temporaryDirectory("io");
  const disk = await profileOf(profile).open(directory);
  try {
    // Buffers too small to keep a page between reads.
    const cluster = await startClusterOn(disk, directory, { ...QUIET, shared_buffers: "2MB" });
    const db = openPool(cluster.url("postgres"), { size: 1, prepare: true });
    try {
      await work(cluster, db, disk);
    } finally {
      disk.emulateDelays(false);
      await db.close();
      await cluster.stop();
    }
  } finally {
    disk.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

const COLD_READS = 100;

/** Reads random pages that neither PostgreSQL nor the kernel has cached. */
async function coldRead(
  db: Pool,
  disk: OpenedDisk,
  runs: number,
  onStep: (step: string) => void,
): Promise<TableRow> {
  const [file] = await db.sql<{ path: string; pages: number }[]>`
    select current_setting('data_directory') || '/' || pg_relation_filepath('pages') as path,
      (pg_relation_size('pages') / current_setting('block_size')::int)::int as pages`;
  const { path = "", pages = 1 } = file ?? {};
  const random = mulberry32(1);
  const measured: { ms: number; reads: number }[] = [];
  for (let run = 0; run < runs; run++) {
    onStep(`cold reads, run ${run + 1}`);
    await db.sql`checkpoint`;
    evictPages(path);
    const before = disk.counts().coldReads;
    const startedMs = performance.now();
    for (let read = 0; read < COLD_READS; read++) {
      const location = `(${Math.floor(random() * pages)},1)`;
      await db.sql`select id from pages where ctid = ${location}::tid`;
    }
    const ms = (performance.now() - startedMs) / COLD_READS;
    measured.push({ ms, reads: (disk.counts().coldReads - before) / COLD_READS });
  }
  const figures = {
    readMs: intervalOf(measured.map(({ ms }) => ms)),
    readsPerSecond: intervalOf(measured.map(({ ms }) => 1000 / ms)),
    coldReadsPerRead: intervalOf(measured.map(({ reads }) => reads)),
  };
  return { scenario: "cold-read", figures };
}

/**
 * The commits of one client before and during a checkpoint that writes a table with changes all
 * over.
 */
async function checkpoint(
  cluster: Cluster,
  db: Pool,
  runs: number,
  onStep: (step: string) => void,
): Promise<TableRow> {
  const second = openPool(cluster.url("postgres"), { size: 1, prepare: true });
  await db.sql`create table written (n int)`;
  const measured: { before: number; during: number; durationMs: number }[] = [];
  for (let run = 0; run < runs; run++) {
    onStep(`checkpoint, run ${run + 1}`);
    await db.sql`checkpoint`;
    const before = await commitMs(second, untilMs(1000));
    await db.sql`update pages set id = id + 1 where id % 7 = ${run % 7}`;
    const startedMs = performance.now();
    let isOver = false;
    const writing = db.sql`checkpoint`.then(() => {
      isOver = true;
    });
    const during = await commitMs(second, () => isOver);
    await writing;
    measured.push({ before, during, durationMs: performance.now() - startedMs });
  }
  await second.close();
  const figures = {
    commitMs: intervalOf(measured.map(({ before }) => before)),
    commitDuringMs: intervalOf(measured.map(({ during }) => during)),
    checkpointMs: intervalOf(measured.map(({ durationMs }) => durationMs)),
  };
  return { scenario: "checkpoint", figures };
}

function untilMs(lengthMs: number) {
  const endMs = performance.now() + lengthMs;
  return () => performance.now() >= endMs;
}

/** The mean time of consecutive commits until `isOver`; at least one. */
async function commitMs(db: Pool, isOver: () => boolean): Promise<number> {
  const startedMs = performance.now();
  let count = 0;
  do {
    await db.sql`insert into written values (1)`;
    count++;
  } while (!isOver());
  return (performance.now() - startedMs) / count;
}
