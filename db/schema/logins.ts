import { sql } from "drizzle-orm";
import { check, foreignKey, index, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";
import { bytea } from "./bytea.ts";
import { users } from "./users.ts";

/** A signed-in device. Its id is the `sid` of its tokens. Stores hashes of refresh tokens only. */
export const logins = pgTable(
  "logins",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    userId: uuid().notNull(),
    refreshHash: bytea().notNull(),
    previousRefreshHash: bytea(),
    refreshedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    lastUsedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    expiresAt: timestamp({ withTimezone: true }).notNull(),
    userAgent: text(),
    address: text(),
    revokedAt: timestamp({ withTimezone: true }),
    revokedReason: text(),
  },
  (login) => [
    foreignKey({
      name: "logins_user_id_fkey",
      columns: [login.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    index("logins_user_id_index").on(login.userId),
    check("logins_refresh_hash_length_check", sql`octet_length(${login.refreshHash}) = 32`),
    check(
      "logins_revoked_pair_check",
      sql`(${login.revokedAt} is null) = (${login.revokedReason} is null)`,
    ),
    check("logins_user_agent_length_check", sql`char_length(${login.userAgent}) <= 512`),
    check("logins_address_length_check", sql`char_length(${login.address}) <= 64`),
  ],
);
