import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  pgTable,
  text,
  timestamp,
  unique,
  uuid,
} from "drizzle-orm/pg-core";
import { plans } from "./plans.ts";
import { routines } from "./routines.ts";
import { users } from "./users.ts";

/** Access of a user to another user's routine or plan; exactly one of the two is set. */
export const grants = pgTable(
  "grants",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    ownerId: uuid().notNull(),
    granteeId: uuid().notNull(),
    routineId: uuid(),
    planId: uuid(),
    access: text().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
  },
  (grant) => [
    foreignKey({
      name: "grants_owner_id_fkey",
      columns: [grant.ownerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "grants_grantee_id_fkey",
      columns: [grant.granteeId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "grants_routine_id_fkey",
      columns: [grant.routineId],
      foreignColumns: [routines.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "grants_plan_id_fkey",
      columns: [grant.planId],
      foreignColumns: [plans.id],
    }).onDelete("cascade"),
    unique("grants_routine_grantee_unique").on(grant.routineId, grant.granteeId),
    unique("grants_plan_grantee_unique").on(grant.planId, grant.granteeId),
    index("grants_grantee_id_index").on(grant.granteeId),
    index("grants_owner_id_index").on(grant.ownerId),
    check("grants_subject_check", sql`num_nonnulls(${grant.routineId}, ${grant.planId}) = 1`),
    check("grants_access_check", sql`${grant.access} in ('read', 'write')`),
    check("grants_not_oneself_check", sql`${grant.ownerId} <> ${grant.granteeId}`),
  ],
);
