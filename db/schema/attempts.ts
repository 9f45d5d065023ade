import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/**
 * How often something was tried lately, by what it is counted for (`account:…`, `address:…`).
 * Unlogged.
 */
export const attempts = pgTable(
  "attempts",
  {
    key: text().primaryKey(),
    count: integer().notNull(),
    // The window ends here: what was counted is forgotten.
    forgottenAt: timestamp({ withTimezone: true }).notNull(),
    // Further attempts are refused until here.
    blockedUntil: timestamp({ withTimezone: true }).notNull(),
  },
  (attempt) => [
    index("attempts_forgotten_at_index").on(attempt.forgottenAt),
    check("attempts_key_length_check", sql`char_length(${attempt.key}) <= 200`),
  ],
);
