import { pgTable, timestamp, uuid } from "drizzle-orm/pg-core";

/** The processes that remember logins, and when each last proved that notices reach it. Unlogged: a crash may empty it. */
export const liveProcesses = pgTable("live_processes", {
  id: uuid().primaryKey(),
  seenAt: timestamp({ withTimezone: true }).notNull(),
});
