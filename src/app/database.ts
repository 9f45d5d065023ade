import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { ClusterError } from "#db/postmaster.ts";
import { readServerVersion } from "#db/server-version.ts";
import { postgresError } from "#lib/causes.ts";
import { causeOf } from "#lib/command-line/explain.ts";
import { OperatorError } from "#lib/errors.ts";
import { type Home, lockHome, openHome } from "#lib/home.ts";
import { isExecutable } from "#lib/shipped-files.ts";
import { type Invalidations, openInvalidations } from "../cache/invalidations.ts";
import type { Config } from "../config/config.ts";
import type { DatabaseUrls } from "./pools.ts";

export type Database = DatabaseUrls & {
  isEmbedded: boolean;
  close(): Promise<void>;
};

const EMBEDDED_DATABASE = "irontrack";

export const clusterPaths = (home: Home) => ({
  dataDir: home.dataDir,
  socketDir: join(home.runDir, "postgres"),
  logFile: home.postgresLog,
});

/**
 * The database of DATABASE_URL; without one, the embedded PostgreSQL, started for as long as this
 * process runs. Throws OperatorError when another process holds the home.
 */
export async function openDatabase(
  config: Config,
  home: Home,
  on: { step?: (step: string) => void; down?: (reason: string) => void } = {},
): Promise<Database> {
  if (config.DATABASE_URL) return await reachDatabase(config.DATABASE_URL, config);
  if (isExecutable)
    throw new OperatorError("Set DATABASE_URL: the executable has no embedded PostgreSQL");
  const lock = lockHome(home);
  const cluster = await startCluster(clusterPaths(home), {
    onStep: on.step ?? (() => {}),
    onDown: on.down ?? (() => {}),
  }).catch((error) => {
    throw error instanceof ClusterError
      ? new OperatorError(`${error.message} (IRONTRACK_HOME is ${home.dir})`)
      : error;
  });
  await ensureDatabase(cluster, EMBEDDED_DATABASE);
  const url = cluster.url(EMBEDDED_DATABASE);
  return {
    pooled: url,
    direct: url,
    isEmbedded: true,
    close: async () => {
      await cluster.stop();
      lock.release();
    },
  };
}

/** The database of DATABASE_URL. Throws OperatorError, with the cause, if it does not answer. */
export async function reachDatabase(url: string, config: Config): Promise<Database> {
  await ask(url);
  if (config.DATABASE_DIRECT_URL) await ask(config.DATABASE_DIRECT_URL, "DATABASE_DIRECT_URL");
  return {
    pooled: url,
    direct: config.DATABASE_DIRECT_URL ?? url,
    isEmbedded: false,
    close: async () => {},
  };
}

/**
 * Runs a command's `work` on the database and closes it. While `up` holds the embedded
 * PostgreSQL, the command joins it over its socket.
 */
export async function withDatabase<T>(
  config: Config,
  work: (db: Pool, database: Database) => Promise<T>,
): Promise<T> {
  const home = openHome(config.IRONTRACK_HOME);
  const database = (await joinRunning(config, home)) ?? (await openDatabase(config, home));
  const db = openPool(database.direct, { size: 4, prepare: false });
  try {
    return await work(db, database);
  } finally {
    await db.close();
    await database.close();
  }
}

/** Like `withDatabase`, with invalidations for the caches of the running processes. */
export function withInvalidations<T>(
  config: Config,
  work: (db: Pool, invalidations: Invalidations) => Promise<T>,
): Promise<T> {
  return withDatabase(config, async (db) => {
    const invalidations = await openInvalidations(db, () => {}, { hasCaches: false });
    try {
      return await work(db, invalidations);
    } finally {
      await invalidations.close();
    }
  });
}

async function joinRunning(config: Config, home: Home): Promise<Database | undefined> {
  if (config.DATABASE_URL) return undefined;
  const socketDir = clusterPaths(home).socketDir;
  const url = `postgres://irontrack@localhost/${EMBEDDED_DATABASE}?host=${encodeURIComponent(socketDir)}`;
  try {
    const holder = lockHome(home);
    holder.release();
    return undefined;
  } catch (held) {
    const isUp = await ask(url).then(
      () => true,
      () => false,
    );
    if (!isUp) throw held;
    return { pooled: url, direct: url, isEmbedded: true, close: async () => {} };
  }
}

/**
 * Throws OperatorError if the database cannot be queried or is too old for the migrations. The
 * message names `setting` without its value.
 */
async function ask(url: string, setting = "DATABASE_URL") {
  const wrong = (why: string, cause?: unknown) =>
    new OperatorError(`Cannot use the database of ${setting}: ${why}`, 1, cause);
  let db: Pool;
  try {
    db = openPool(url, { size: 1, prepare: false });
  } catch {
    throw wrong("it is not a URL like postgres://user:password@host:5432/database");
  }
  try {
    await readServerVersion(db);
  } catch (error) {
    if (error instanceof ClusterError) throw wrong(error.message);
    const known = postgresError(error);
    const code = (error as { code?: string }).code;
    throw wrong(
      known ? `${known.message} (${known.code})` : (causeOf(code) ?? code ?? "no answer"),
      error,
    );
  } finally {
    await db.close(0).catch(() => {});
  }
}
