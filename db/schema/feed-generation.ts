import { sql } from "drizzle-orm";
import { boolean, check, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * The current generation of the change feed; a single row. After a restore or the promotion of a
 * replica, the same places may belong to other changes. A new generation then begins, and cursors
 * of an older one are refused.
 */
export const feedGeneration = pgTable(
  "feed_generation",
  {
    isOnly: boolean().primaryKey().default(true),
    id: uuid().notNull(),
    // The result of `feed_origin()` when the generation began.
    origin: text().notNull(),
    beganAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (generation) => [check("feed_generation_is_only_check", sql`${generation.isOnly}`)],
);
