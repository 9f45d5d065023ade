import { sql } from "drizzle-orm";
import {
  bigint,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { users } from "./users.ts";

/**
 * The change feed of each user: one row for each exercise, routine, plan and workout, whose `place`
 * is that of its latest change. The row of a deleted entity stays for half a year as a tombstone.
 * Only the trigger `record_change` writes to this table. It runs at commit and locks the user's row
 * first, so that a user's places are in commit order.
 */
export const changes = pgTable(
  "changes",
  {
    userId: uuid().notNull(),
    kind: text().notNull(),
    entityId: uuid().notNull(),
    place: bigint({ mode: "bigint" }).notNull(),
    // When the entity was deleted; null while it exists.
    goneAt: timestamp({ withTimezone: true }),
    // The version after that change. A new entity with the same id continues from it.
    version: integer().notNull(),
  },
  (change) => [
    primaryKey({ name: "changes_pkey", columns: [change.userId, change.kind, change.entityId] }),
    foreignKey({
      name: "changes_user_id_fkey",
      columns: [change.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    unique("changes_user_place_unique").on(change.userId, change.place),
    index("changes_gone_at_index").on(change.goneAt).where(sql`${change.goneAt} is not null`),
    check("changes_kind_check", sql`${change.kind} in ('exercise', 'routine', 'plan', 'workout')`),
  ],
);
