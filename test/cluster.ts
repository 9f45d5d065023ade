import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded.ts";
import { migrate } from "#db/migrate.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";

/** The environment variable that tells test files where the run's PostgreSQL is. */
export const TEST_DATABASE_URL = "TEST_DATABASE_URL";
/** The same without a pooler, and whether the pooler follows prepared statements; set only when there is one. */
export const TEST_DATABASE_DIRECT_URL = "TEST_DATABASE_DIRECT_URL";
export const TEST_DATABASE_PREPARE = "TEST_DATABASE_PREPARE";

export type TestCluster = {
  url: string;
  cluster: Cluster;
  /** Where the cluster keeps what it needs; goes with it. */
  dir: string;
  stop(): Promise<void>;
};

/** A copy of the run's database that nobody is connected to, so that it can be copied again; see `withTemplate`. */
export const TEMPLATE_DATABASE = "irontrack_template";

/** A PostgreSQL of a test run's own: migrated, seeded, without fsync, gone when it is stopped. */
export async function startTestCluster({ withTemplate = false } = {}): Promise<TestCluster> {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-test-"));
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
    await ensureDatabase(cluster, "irontrack_test");
    const url = cluster.url("irontrack_test");
    const db = openPool(url, { size: 1, prepare: false });
    await migrate(db);
    await seedCatalog(db, readCatalog());
    await db.sql`analyze`;
    await db.close();
    if (withTemplate) await copyToTemplate(cluster.url("postgres"));
    return { url, cluster, dir, stop };
  } catch (error) {
    await stop();
    throw error;
  }
}

async function copyToTemplate(url: string) {
  const db = openPool(url, { size: 1, prepare: false });
  await db.sql.unsafe(`create database ${TEMPLATE_DATABASE} template irontrack_test`);
  await db.close();
}
