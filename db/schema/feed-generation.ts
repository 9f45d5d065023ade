import { sql } from "drizzle-orm";
import { boolean, check, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * One row: which history of this database the places of `changes` are of. After a restore or the
 * promotion of a replica the same places may stand for other changes: then there is a new
 * generation, and cursors of an older one are refused.
 */
export const feedGeneration = pgTable(
  "feed_generation",
  {
    isOnly: boolean().primaryKey().default(true),
    id: uuid().notNull(),
    // What `feed_origin()` said when the generation began.
    origin: text().notNull(),
    beganAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (generation) => [check("feed_generation_is_only_check", sql`${generation.isOnly}`)],
);
