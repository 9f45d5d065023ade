import type { Db } from "#db/client.ts";
import { NEWEST_MIGRATION } from "#db/migrate.ts";
import { postgresError } from "#lib/causes.ts";
import { findDatabaseState } from "./health.queries.ts";

export type Health = {
  isDatabaseOnline(): boolean;
  isCacheOnline(): boolean;
  /** False if the database lacks a migration of this version; it may be ahead (rolling update). */
  isSchemaCurrent(): boolean;
  stop(): void;
};

const PROBE_INTERVAL_MS = 1000;
/** A database that has not answered for this long is offline: one slow probe is not an outage. */
const OFFLINE_AFTER_MS = 2000;
const FIRST_PROBE_TIMEOUT_MS = 800;

/**
 * Probes the database once a second, so that no request for `/health/ready` waits for it.
 * `isCacheOnline` says whether this process uses its caches: not while invalidations may be missed.
 */
export async function watchHealth(db: Db, isCacheOnline: () => boolean): Promise<Health> {
  let answeredAtMs = -Infinity;
  let isSchemaCurrent = true;
  let isProbing = false;
  const probe = async () => {
    if (isProbing) return;
    isProbing = true;
    const startedMs = performance.now();
    try {
      const { newestMigration, isWritable } = await findDatabaseState(db);
      isSchemaCurrent = (newestMigration ?? "") >= NEWEST_MIGRATION;
      // A standby answers, but accepts no writes.
      answeredAtMs = isWritable ? startedMs : -Infinity;
    } catch (error) {
      // A database without tables is online too.
      if (postgresError(error)?.code !== "42P01") return;
      isSchemaCurrent = false;
      answeredAtMs = startedMs;
    } finally {
      isProbing = false;
    }
  };
  await Promise.race([probe(), Bun.sleep(FIRST_PROBE_TIMEOUT_MS)]);
  const timer = setInterval(probe, PROBE_INTERVAL_MS);
  return {
    // An answer may be one interval old, and the next probe takes time too.
    isDatabaseOnline: () => performance.now() - answeredAtMs < OFFLINE_AFTER_MS + PROBE_INTERVAL_MS,
    isCacheOnline,
    isSchemaCurrent: () => isSchemaCurrent,
    stop: () => clearInterval(timer),
  };
}
