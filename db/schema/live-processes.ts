import { boolean, pgTable, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * The processes that serve from caches: one row for each connection that listens for invalidations
 * (ADR 0004). Unlogged: a crash or a promotion empties the table, which `isSettled` reveals.
 */
export const liveProcesses = pgTable("live_processes", {
  id: uuid().primaryKey(),
  /** The time of the last heartbeat, for operators only: no decision depends on it. */
  seenAt: timestamp({ withTimezone: true }).notNull(),
  /** True once the row is older than any lease: the table then lists every holder of one. */
  isSettled: boolean().notNull().default(false),
});
