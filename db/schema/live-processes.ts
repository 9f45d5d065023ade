import { boolean, pgTable, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * The processes that serve from caches: one row for each connection that listens for invalidations
 * (ADR 0004). Unlogged: a crash or a promotion empties it, which `isSettled` shows.
 */
export const liveProcesses = pgTable("live_processes", {
  id: uuid().primaryKey(),
  /** When the last heartbeat was sent. For people: no decision compares it with a clock. */
  seenAt: timestamp({ withTimezone: true }).notNull(),
  /**
   * The row has been there for longer than any lease lasts, so the table lists every process that
   * holds one.
   */
  isSettled: boolean().notNull().default(false),
});
