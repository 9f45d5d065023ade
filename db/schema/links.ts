import { sql } from "drizzle-orm";
import { check, foreignKey, index, pgTable, timestamp, unique, uuid } from "drizzle-orm/pg-core";
import { bytea } from "./bytea.ts";
import { plans } from "./plans.ts";
import { routines } from "./routines.ts";
import { users } from "./users.ts";

/**
 * A link to a routine or plan; exactly one of the two is set. Anyone with its token can read it.
 * Only a hash of the token is stored.
 */
export const links = pgTable(
  "links",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    ownerId: uuid().notNull(),
    routineId: uuid(),
    planId: uuid(),
    tokenHash: bytea().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (link) => [
    foreignKey({
      name: "links_owner_id_fkey",
      columns: [link.ownerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "links_routine_id_fkey",
      columns: [link.routineId],
      foreignColumns: [routines.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "links_plan_id_fkey",
      columns: [link.planId],
      foreignColumns: [plans.id],
    }).onDelete("cascade"),
    unique("links_token_hash_unique").on(link.tokenHash),
    index("links_owner_id_index").on(link.ownerId),
    index("links_routine_id_index").on(link.routineId),
    index("links_plan_id_index").on(link.planId),
    check("links_subject_check", sql`num_nonnulls(${link.routineId}, ${link.planId}) = 1`),
    check("links_token_hash_length_check", sql`octet_length(${link.tokenHash}) = 32`),
  ],
);
