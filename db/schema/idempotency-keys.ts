import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  jsonb,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea } from "./bytea.ts";
import { users } from "./users.ts";

/** Requests that clients may retry, and their responses. Deleted after 24 hours. */
export const idempotencyKeys = pgTable(
  "idempotency_keys",
  {
    userId: uuid().notNull(),
    key: text().notNull(),
    // A keyed hash of method, path and body, so that passwords cannot be guessed from it.
    fingerprint: bytea().notNull(),
    // The time of the claim; refreshed while the request runs.
    startedAt: timestamp({ withTimezone: true }).notNull(),
    // Identifies the request that claimed the key. The default is for processes of the previous
    // version.
    claimId: uuid().notNull().default(sql`uuidv7()`),
    // Null while the request is running.
    status: smallint(),
    body: text(),
    headers: jsonb(),
  },
  (entry) => [
    primaryKey({ name: "idempotency_keys_pkey", columns: [entry.userId, entry.key] }),
    foreignKey({
      name: "idempotency_keys_user_id_fkey",
      columns: [entry.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    index("idempotency_keys_started_at_index").on(entry.startedAt),
    check("idempotency_keys_key_length_check", sql`char_length(${entry.key}) between 1 and 255`),
    check(
      "idempotency_keys_fingerprint_length_check",
      sql`octet_length(${entry.fingerprint}) = 32`,
    ),
  ],
);
