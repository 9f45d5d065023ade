import { chmodSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";

/** The environment variable that tells test files where the run's PostgreSQL is. */
export const TEST_DATABASE_URL = "TEST_DATABASE_URL";
/**
 * The same without a pooler, and whether the pooler follows prepared statements; set only when
 * there is one.
 */
export const TEST_DATABASE_DIRECT_URL = "TEST_DATABASE_DIRECT_URL";
export const TEST_DATABASE_PREPARE = "TEST_DATABASE_PREPARE";

export type TestCluster = {
  url: string;
  cluster: Cluster;
  /** Where the cluster keeps what it needs; goes with it. */
  dir: string;
  stop(): Promise<void>;
};

/**
 * A copy of the run's database that nobody is connected to, so that it can be copied again; see
 * `withTemplate`.
 */
export const TEMPLATE_DATABASE = "irontrack_template";

const DATABASE = "irontrack_test";

/**
 * The database of one of the processes that run test files in parallel, counted from 1. Each has
 * its own: files commit little, but hold locks on rows of the catalog and roles until they roll
 * back, and two files would deadlock on them.
 */
export const databaseOfWorker = (worker: number): string =>
  worker === 1 ? DATABASE : `${DATABASE}_${worker}`;

/**
 * A PostgreSQL of a test run's own: migrated, seeded, without fsync, gone when it is stopped. It
 * has a database for each of `workers`.
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
    const copies = Array.from({ length: workers - 1 }, (_, at) => databaseOfWorker(at + 2));
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
