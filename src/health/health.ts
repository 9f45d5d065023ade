import type { Db } from "#db/client.ts";
import { NEWEST_MIGRATION } from "#db/migrate.ts";
import { postgresError } from "#lib/causes.ts";
import { findDatabaseState } from "./health.queries.ts";

export type Health = {
  isDatabaseOnline(): boolean;
  isCacheOnline(): boolean;
  /**
   * True unless the database lacks a migration of this version; one that is ahead is what a rolling
   * update looks like.
   */
  isSchemaCurrent(): boolean;
  stop(): void;
};

const PROBE_INTERVAL_MS = 1000;
/** A database that has not answered for so long is away: one slow probe is no outage. */
const AWAY_AFTER_MS = 2000;
const FIRST_PROBE_TIMEOUT_MS = 800;

/**
 * Asks the database once a second whether it answers and how new it is, so that no caller of
 * `/health/ready` ever waits for it. `isCacheOnline` is the state of what this process remembers:
 * offline while notices may be missing.
 */
export async function watchHealth(db: Db, isCacheOnline: () => boolean): Promise<Health> {
  let answeredAtMs = -Infinity;
  let isSchemaCurrent = true;
  let probing = false;
  const probe = async () => {
    if (probing) return;
    probing = true;
    const startedMs = performance.now();
    try {
      const { newestMigration, isWritable } = await findDatabaseState(db);
      isSchemaCurrent = (newestMigration ?? "") >= NEWEST_MIGRATION;
      // A standby answers, but accepts no writes.
      answeredAtMs = isWritable ? startedMs : -Infinity;
    } catch (error) {
      // Without its tables the database answers all the same.
      if (postgresError(error)?.code !== "42P01") return;
      isSchemaCurrent = false;
      answeredAtMs = startedMs;
    } finally {
      probing = false;
    }
  };
  await Promise.race([probe(), Bun.sleep(FIRST_PROBE_TIMEOUT_MS)]);
  const timer = setInterval(probe, PROBE_INTERVAL_MS);
  return {
    // A probe is sent a second after the one before, and takes its time as well.
    isDatabaseOnline: () => performance.now() - answeredAtMs < AWAY_AFTER_MS + PROBE_INTERVAL_MS,
    isCacheOnline,
    isSchemaCurrent: () => isSchemaCurrent,
    stop: () => clearInterval(timer),
  };
}
