import { rmSync } from "node:fs";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { ensureDatabase } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { checkDisk, type DiskCheck } from "../disk/check.ts";
import { QUIET, startClusterOn } from "../disk/cluster.ts";
import { forgetPages } from "../disk/page-cache.ts";
import { type ProfileName, profileOf } from "../disk/profiles.ts";
import type { DiskCounts } from "../disk/spindle.ts";
import { pin } from "../hosts/pinning.ts";
import { listProcesses } from "../probes/process-tree.ts";
import type { ProbeTargets } from "../probes/sampler.ts";
import { startApplicationOn } from "./applications.ts";
import { type Between, pooledSettings, putPooler, putProxy } from "./proxy-and-pooler.ts";
import type { ServerProcess } from "./server-process.ts";

/** The application on a PostgreSQL of its own, on a disk whose flushes are counted. */
export type TestBed = {
  server: ServerProcess;
  /**
   * The Unix socket where requests come in: the proxy's where there is one, else the application's.
   */
  entrance: string;
  /** First processes of what else is in the path. */
  between: Partial<Record<Between, number>>;
  /** As superuser; what it asks is not counted. */
  db: Pool;
  databaseUrl: string;
  databaseSocketDir: string;
  dataDir: string;
  /** It turns; while a database is being filled it may stand still. */
  disk: { path: string; counts(): DiskCounts; turn(isTurning: boolean): void };
  /** The process that started all others of PostgreSQL. */
  postmaster(): number;
  postgresPids(): number[];
  /** Whether the disk is as its profile says. */
  checkDisk(): Promise<DiskCheck>;
  /**
   * Starts PostgreSQL anew with few buffers and with none of its files in the page cache, and waits
   * until the application has it back. Reads warm it again.
   */
  cool(): Promise<void>;
  close(): Promise<void>;
};

/** It says all that it can about what it is asked. */
const TALKATIVE = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "top",
  track_io_timing: "on",
  track_wal_io_timing: "on",
};

const COLD = { shared_buffers: "16MB" };

export type TestBedOptions = {
  profile?: ProfileName;
  settings?: Record<string, string>;
  /** What starts the application, when it is not to be started as in production. */
  command?: string[];
  /** What else is put in the path; with both it is production's. */
  through?: Between[];
};

/** Starts a test bed: an empty, migrated and seeded database, and the application on it. */
export async function openTestBed(options: TestBedOptions = {}): Promise<TestBed> {
  const { profile = "native", settings = {}, command, through = [] } = options;
  const directory = temporaryDirectory("testbed");
  const opened: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const undo of opened.splice(0).reverse()) await undo();
  };
  try {
    const disk = await profileOf(profile).open(directory);
    opened.push(disk.close);
    let cluster = await startClusterOn(disk, directory, { ...QUIET, ...TALKATIVE });
    opened.push(() => cluster.stop());
    // Nothing that is done from here to the end of the test bed is waited for as long as what is
    // measured.
    opened.push(() => disk.turn(false));
    await ensureDatabase(cluster, "irontrack");
    const db = openPool(cluster.url("irontrack"), { size: 2, prepare: false });
    opened.push(() => db.close());
    await db.sql`create extension if not exists pg_stat_statements`;
    await migrate(db);
    await seedCatalog(db, readCatalog());
    await db.sql`analyze`;
    const pooler = through.includes("pooler") ? await putPooler(cluster, directory) : undefined;
    if (pooler) opened.push(pooler.stop);
    const pooled = pooler ? pooledSettings(cluster, pooler) : {};
    const url = pooler?.url("irontrack") ?? cluster.url("irontrack");
    const server = await startApplicationOn(url, directory, { ...pooled, ...settings }, command);
    opened.push(() => server.stop());
    const proxy = through.includes("proxy")
      ? await putProxy(server.socketPath, directory)
      : undefined;
    if (proxy) opened.push(proxy.stop);
    const postmaster = () => cluster.pid() as number;
    const postgresPids = () => listProcesses(postmaster());
    pin(postgresPids(), "postgres");
    disk.turn(true);
    return {
      server,
      entrance: proxy?.unixSocket ?? server.socketPath,
      between: { ...(proxy && { proxy: proxy.pid }), ...(pooler && { pooler: pooler.pid }) },
      db,
      databaseUrl: cluster.url("irontrack"),
      databaseSocketDir: join(directory, "postgres"),
      dataDir: disk.dataDir,
      disk,
      postmaster,
      postgresPids,
      checkDisk: () => checkDisk(profile, cluster.url("postgres"), disk),
      cool: async () => {
        disk.turn(false);
        await cluster.stop();
        forgetPages(disk.dataDir);
        cluster = await startClusterOn(disk, directory, { ...QUIET, ...TALKATIVE, ...COLD });
        await untilReady(server);
        pin(postgresPids(), "postgres");
        disk.turn(true);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Until the application has reached its database again. */
async function untilReady({ socketPath }: ServerProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const answer = await fetch("http://localhost/health/ready", { unix: socketPath }).catch(
      () => undefined,
    );
    if (answer?.ok) return;
    await Bun.sleep(50);
  }
  throw new Error("The application did not get its database back");
}

/** What there is to be sampled of a test bed. */
export const targetsOf = ({
  server,
  between,
  postmaster,
  databaseUrl,
  dataDir,
  disk,
}: TestBed): ProbeTargets => ({
  ...{ server: server.pid, serverSocketPath: server.socketPath, ...between },
  ...{ postmaster: postmaster(), databaseUrl, dataDir, spindlePath: disk.path },
});
