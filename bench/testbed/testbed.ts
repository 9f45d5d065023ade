import { rmSync } from "node:fs";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { ensureDatabase } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { checkDisk, type DiskCheck } from "../disk/check.ts";
import { QUIET, startClusterOn } from "../disk/cluster.ts";
import { evictPages } from "../disk/page-cache.ts";
import { type ProfileName, profileOf } from "../disk/profiles.ts";
import type { DiskCounts } from "../disk/spindle.ts";
import { pin } from "../hosts/pinning.ts";
import { listProcesses } from "../probes/process-tree.ts";
import type { ProbeTargets } from "../probes/sampler.ts";
import { startApplicationOn } from "./applications.ts";
import { addPooler, addProxy, type Intermediary, pooledSettings } from "./proxy-and-pooler.ts";
import type { ServerProcess } from "./server-process.ts";

/** The application on its own PostgreSQL, on a disk that counts its flushes. */
export type TestBed = {
  server: ServerProcess;
  /** The Unix socket that requests go to: the proxy's if there is one, else the application's. */
  entrySocket: string;
  /** Process ids of the proxy and the pooler, where they are part of the request path. */
  intermediaries: Partial<Record<Intermediary, number>>;
  /** A superuser connection. Its statements are not counted. */
  db: Pool;
  databaseUrl: string;
  databaseSocketDir: string;
  dataDir: string;
  /**
   * The emulated disk. Its delays can be switched off, for example while the database is filled.
   */
  disk: { path: string; counts(): DiskCounts; emulateDelays(isOn: boolean): void };
  /** Process id of the postmaster. */
  postmaster(): number;
  postgresPids(): number[];
  /** Measures the disk and compares the result with its profile. */
  checkDisk(): Promise<DiskCheck>;
  /**
   * Restarts PostgreSQL with small shared buffers and none of its files in the page cache, and
   * waits until the application is connected again. Reads warm the caches up again.
   */
  restartCold(): Promise<void>;
  close(): Promise<void>;
};

/** Everything that PostgreSQL can report about statements. */
const STATISTICS = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "top",
  track_io_timing: "on",
  track_wal_io_timing: "on",
};

const COLD = { shared_buffers: "16MB" };

export type TestBedOptions = {
  profile?: ProfileName;
  settings?: Record<string, string>;
  /** Starts the application; as in production by default. */
  command?: string[];
  /** Intermediaries in the request path. Both together are production's path. */
  through?: Intermediary[];
};

/** Starts the application on a migrated and seeded database without users. */
export async function openTestBed(options: TestBedOptions = {}): Promise<TestBed> {
  const { profile = "native", settings = {}, command, through = [] } = options;
  const directory = temporaryDirectory("testbed");
  const cleanUps: (() => unknown)[] = [() => rmSync(directory, { recursive: true, force: true })];
  const close = async () => {
    for (const release of cleanUps.splice(0).reverse()) await release();
  };
  try {
    const disk = await profileOf(profile).open(directory);
    cleanUps.push(disk.close);
    let cluster = await startClusterOn(disk, directory, { ...QUIET, ...STATISTICS });
    cleanUps.push(() => cluster.stop());
    // The disk's delays apply only to the measurement, not to filling and stopping the database.
    cleanUps.push(() => disk.emulateDelays(false));
    await ensureDatabase(cluster, "irontrack");
    const db = openPool(cluster.url("irontrack"), { size: 2, prepare: false });
    cleanUps.push(() => db.close());
    await db.sql`create extension if not exists pg_stat_statements`;
    await migrate(db);
    await seedCatalog(db, readCatalog());
    await db.sql`analyze`;
    const pooler = through.includes("pooler") ? await addPooler(cluster, directory) : undefined;
    if (pooler) cleanUps.push(pooler.stop);
    const pooled = pooler ? pooledSettings(cluster, pooler) : {};
    const url = pooler?.url("irontrack") ?? cluster.url("irontrack");
    const server = await startApplicationOn(url, directory, { ...pooled, ...settings }, command);
    cleanUps.push(() => server.stop());
    const proxy = through.includes("proxy")
      ? await addProxy(server.socketPath, directory)
      : undefined;
    if (proxy) cleanUps.push(proxy.stop);
    const postmaster = () => cluster.pid() as number;
    const postgresPids = () => listProcesses(postmaster());
    pin(postgresPids(), "postgres");
    disk.emulateDelays(true);
    return {
      server,
      entrySocket: proxy?.unixSocket ?? server.socketPath,
      intermediaries: { ...(proxy && { proxy: proxy.pid }), ...(pooler && { pooler: pooler.pid }) },
      db,
      databaseUrl: cluster.url("irontrack"),
      databaseSocketDir: join(directory, "postgres"),
      dataDir: disk.dataDir,
      disk,
      postmaster,
      postgresPids,
      checkDisk: () => checkDisk(profile, cluster.url("postgres"), disk),
      restartCold: async () => {
        disk.emulateDelays(false);
        await cluster.stop();
        evictPages(disk.dataDir);
        cluster = await startClusterOn(disk, directory, { ...QUIET, ...STATISTICS, ...COLD });
        await untilReady(server);
        pin(postgresPids(), "postgres");
        disk.emulateDelays(true);
      },
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Waits until the application is connected to its database again. */
async function untilReady({ socketPath }: ServerProcess): Promise<void> {
  const deadline = performance.now() + 30_000;
  while (performance.now() < deadline) {
    const answer = await fetch("http://localhost/health/ready", { unix: socketPath }).catch(
      () => undefined,
    );
    if (answer?.ok) return;
    await Bun.sleep(50);
  }
  throw new Error("The application did not reconnect to its database");
}

/** The processes and the disk that the sampler watches. */
export const targetsOf = ({
  server,
  intermediaries,
  postmaster,
  databaseUrl,
  dataDir,
  disk,
}: TestBed): ProbeTargets => ({
  server: server.pid,
  serverSocketPath: server.socketPath,
  ...intermediaries,
  postmaster: postmaster(),
  databaseUrl,
  dataDir,
  spindlePath: disk.path,
});
