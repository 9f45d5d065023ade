import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { ensureDatabase, startCluster } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { startApplicationOn } from "./applications.ts";
import { COUNTING, type Disk, type DiskCounts, openSpindle } from "./disk/spindle.ts";
import { pin } from "./pinning.ts";
import { listProcesses } from "./postgres.ts";
import type { ServerProcess } from "./servers.ts";

/** The application on a PostgreSQL of its own, on a disk whose flushes are counted. */
export type Stand = {
  server: ServerProcess;
  /** As superuser; what it asks is not counted. */
  db: Pool;
  databaseUrl: string;
  databaseSocketDir: string;
  disk: { counts(): DiskCounts };
  postgresPids(): number[];
  close(): Promise<void>;
};

/** PostgreSQL does nothing on its own account. */
export const QUIET = {
  autovacuum: "off",
  checkpoint_timeout: "1h",
  max_wal_size: "16GB",
  wal_writer_delay: "10s",
  bgwriter_delay: "10s",
};

/** It says all that it can about what it is asked. */
const TALKATIVE = {
  shared_preload_libraries: "pg_stat_statements",
  "pg_stat_statements.track": "top",
  track_io_timing: "on",
  track_wal_io_timing: "on",
};

export type StandOptions = {
  disk?: Disk;
  settings?: Record<string, string>;
  /** What starts the application, when it is not to be started as in production. */
  command?: string[];
};

/** Starts a stand: an empty, migrated and seeded database, and the application on it. */
export async function openStand({ disk = COUNTING, settings = {}, command }: StandOptions = {}): Promise<Stand> {
  const directory = mkdtempSync(join(tmpdir(), "irontrack-stand-"));
  const spindle = openSpindle(directory, disk);
  const cluster = await startCluster(
    {
      dataDir: join(directory, "data"),
      socketDir: join(directory, "postgres"),
      logFile: join(directory, "postgres.log"),
    },
    { environment: spindle.environment, settings: { ...QUIET, ...TALKATIVE } },
  );
  await ensureDatabase(cluster, "irontrack");
  const db = openPool(cluster.url("irontrack"), { size: 2, prepare: false });
  await db.sql`create extension if not exists pg_stat_statements`;
  await migrate(db);
  await seedCatalog(db, readCatalog());
  await db.sql`analyze`;
  const server = await startApplicationOn(cluster.url("irontrack"), directory, settings, command);
  const postgresPids = () => listProcesses(cluster.pid() as number);
  pin(postgresPids(), "postgres");
  return {
    server,
    db,
    databaseUrl: cluster.url("irontrack"),
    databaseSocketDir: join(directory, "postgres"),
    disk: spindle,
    postgresPids,
    close: async () => {
      await server.stop();
      await db.close();
      await cluster.stop();
      rmSync(directory, { recursive: true, force: true });
    },
  };
}
