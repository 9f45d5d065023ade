import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { routines } from "./routines.ts";
import { users } from "./users.ts";

/** A training plan: routines on numbered days. */
export const plans = pgTable(
  "plans",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    ownerId: uuid().notNull(),
    name: text().notNull(),
    description: text(),
    difficulty: text(),
    sharing: text().notNull().default("private"),
    weeks: smallint(),
    // For a copy that a trainer assigned: the original plan, its version at that time, and the
    // trainer. Plan and trainer may have been deleted since.
    assignedFromPlanId: uuid(),
    assignedFromVersion: integer(),
    assignedBy: uuid(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    version: integer().notNull().default(1),
  },
  (plan) => [
    foreignKey({
      name: "plans_owner_id_fkey",
      columns: [plan.ownerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "plans_assigned_from_plan_id_fkey",
      columns: [plan.assignedFromPlanId],
      foreignColumns: [plan.id],
    }).onDelete("set null"),
    foreignKey({
      name: "plans_assigned_by_fkey",
      columns: [plan.assignedBy],
      foreignColumns: [users.id],
    }).onDelete("set null"),
    index("plans_assigned_from_plan_id_index")
      .on(plan.assignedFromPlanId)
      .where(sql`${plan.assignedFromPlanId} is not null`),
    index("plans_assigned_by_index").on(plan.assignedBy).where(sql`${plan.assignedBy} is not null`),
    uniqueIndex("plans_owner_name_unique").on(plan.ownerId, sql`lower(${plan.name})`),
    index("plans_public_index").on(plan.id).where(sql`${plan.sharing} = 'public'`),
    check(
      "plans_name_length_check",
      sql`${plan.name} = btrim(${plan.name}) and char_length(${plan.name}) between 1 and 100`,
    ),
    check("plans_description_length_check", sql`char_length(${plan.description}) <= 2000`),
    check(
      "plans_difficulty_check",
      sql`${plan.difficulty} in ('beginner', 'intermediate', 'expert')`,
    ),
    check("plans_sharing_check", sql`${plan.sharing} in ('private', 'shared', 'public')`),
    check("plans_weeks_check", sql`${plan.weeks} between 1 and 104`),
    check(
      "plans_assigned_check",
      sql`case when ${plan.assignedFromVersion} is null then num_nonnulls(${plan.assignedFromPlanId}, ${plan.assignedBy}) = 0 else ${plan.assignedFromVersion} >= 1 end`,
    ),
  ],
);

export const planRoutines = pgTable(
  "plan_routines",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    planId: uuid().notNull(),
    routineId: uuid().notNull(),
    day: smallint().notNull(),
    position: smallint().notNull(),
  },
  (entry) => [
    foreignKey({
      name: "plan_routines_plan_id_fkey",
      columns: [entry.planId],
      foreignColumns: [plans.id],
    }).onDelete("cascade"),
    // A routine cannot be deleted while a plan uses it. The migration makes the check deferred,
    // because deleting an account deletes both.
    foreignKey({
      name: "plan_routines_routine_id_fkey",
      columns: [entry.routineId],
      foreignColumns: [routines.id],
    }),
    unique("plan_routines_position_unique").on(entry.planId, entry.day, entry.position),
    index("plan_routines_routine_id_index").on(entry.routineId),
    check("plan_routines_day_check", sql`${entry.day} between 1 and 366`),
    check("plan_routines_position_check", sql`${entry.position} between 1 and 50`),
  ],
);
