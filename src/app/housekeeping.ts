import type { Db } from "#db/client.ts";
import { deleteExpiredAttempts } from "../access/attempts.queries.ts";
import type { Log } from "../log/log.ts";
import { deleteOldKeys } from "../operations/idempotency.queries.ts";
import { deleteOldWrites } from "../replicas/last-writes.queries.ts";
import { deleteExpiredTombstones } from "../sync/changes.service.ts";
import { emptyTrash } from "../workouts/workout-writes.queries.ts";

const INTERVAL_MS = 600_000;

/** The deletions that run every ten minutes, by the name in the log of a failure. */
const TASKS: Record<string, (db: Db) => Promise<unknown>> = {
  "expired sign-in attempts": deleteExpiredAttempts,
  "old idempotency keys": deleteOldKeys,
  "old records of writes": deleteOldWrites,
  "old tombstones": deleteExpiredTombstones,
  "workouts in the trash": emptyTrash,
};

/** Deletes expired rows every ten minutes. Failures are logged. Returns a function that stops it. */
export function startHousekeeping(db: Db, log: Log): () => void {
  const timer = setInterval(() => {
    for (const [rows, task] of Object.entries(TASKS))
      task(db).catch((error) => log.warn({ err: error }, `${rows} were not deleted`));
  }, INTERVAL_MS);
  return () => clearInterval(timer);
}
