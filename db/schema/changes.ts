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
 * What each user's devices have to hear of: one row for each exercise, routine, plan and workout,
 * at the place of its latest change. When the thing is gone its row stays for half a year, as a
 * tombstone. Only the trigger `record_change` writes here: it runs when a transaction commits and
 * locks the user's row first, so a user's places are in the order of commits.
 */
export const changes = pgTable(
  "changes",
  {
    userId: uuid().notNull(),
    kind: text().notNull(),
    entityId: uuid().notNull(),
    place: bigint({ mode: "bigint" }).notNull(),
    // When the thing ceased to be; null while there is one.
    goneAt: timestamp({ withTimezone: true }),
    // Of the thing at that change: a new one under its id goes on from there.
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
