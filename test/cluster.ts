import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";

/** The environment variable with the URL of the test database. */
export const TEST_DATABASE_URL = "TEST_DATABASE_URL";
/** With a pooler: the URL without it, and whether it supports prepared statements. */
export const TEST_DATABASE_DIRECT_URL = "TEST_DATABASE_DIRECT_URL";
export const TEST_DATABASE_PREPARE = "TEST_DATABASE_PREPARE";

export type TestCluster = {
  url: string;
  cluster: Cluster;
  /** The directory of the cluster, removed with it. */
  dir: string;
  stop(): Promise<void>;
};

/** A copy of the database without connections, so that it can be copied; see `withTemplate`. */
export const TEMPLATE_DATABASE = "irontrack_template";

const DATABASE = "irontrack_test";

/**
 * The database of a worker process of the test runner, counted from 1. Tests lock rows of the
 * catalog and roles until they roll back, so two files on one database would deadlock.
 */
export const databaseOfWorker = (worker: number): string =>
  worker === 1 ? DATABASE : `${DATABASE}_${worker}`;

/**
 * Starts a PostgreSQL without fsync, with a migrated and seeded database for each worker. It is
 * deleted when it is stopped.
 */
export async function startTestCluster({
  withTemplate = false,
  workers = 1,
} = {}): Promise<TestCluster> {
  const dir = temporaryDirectory("test");
  chmodSync(dir, 0o711);
  const cluster = await startCluster(
    { dataDir: join(dir, "data"), socketDir: join(dir, "run"), logFile: join(dir, "postgres.log") },
    { durable: false },
  );
  const stop = async () => {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  };
  try {
    await ensureDatabase(cluster, DATABASE);
    const url = cluster.url(DATABASE);
    const db = openPool(url, { size: 1, prepare: false });
    await migrate(db);
    await seedCatalog(db, readCatalog());
    await db.sql`analyze`;
    await db.close();
    const copies = Array.from({ length: workers - 1 }, (_, index) => databaseOfWorker(index + 2));
    await copyTo(cluster.url("postgres"), withTemplate ? [...copies, TEMPLATE_DATABASE] : copies);
    return { url, cluster, dir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function copyTo(url: string, databases: string[]) {
  if (databases.length === 0) return;
  const db = openPool(url, { size: 1, prepare: false });
  for (const name of databases) await db.sql.unsafe(`create database ${name} template ${DATABASE}`);
  await db.close();
}
