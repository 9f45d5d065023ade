import { sql } from "drizzle-orm";
import { check, index, integer, pgTable, text, timestamp } from "drizzle-orm/pg-core";

/** Counts recent attempts, such as sign-ins, by key (`account:…`, `address:…`). Unlogged. */
export const attempts = pgTable(
  "attempts",
  {
    key: text().primaryKey(),
    count: integer().notNull(),
    // The end of the window, when the count is reset.
    forgottenAt: timestamp({ withTimezone: true }).notNull(),
    // Further attempts are refused until this time.
    blockedUntil: timestamp({ withTimezone: true }).notNull(),
  },
  (attempt) => [
    index("attempts_forgotten_at_index").on(attempt.forgottenAt),
    check("attempts_key_length_check", sql`char_length(${attempt.key}) <= 200`),
  ],
);
