import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  smallint,
  text,
  timestamp,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { roles } from "./roles.ts";

export const users = pgTable(
  "users",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    email: text().notNull(),
    name: text(),
    passwordHash: text().notNull(),
    isActive: boolean().notNull().default(true),
    // The system administrator is identified by this flag, not by an email address.
    isSystemAdmin: boolean().notNull().default(false),
    roleId: smallint().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    version: integer().notNull().default(1),
  },
  (user) => [
    foreignKey({ name: "users_role_id_fkey", columns: [user.roleId], foreignColumns: [roles.id] }),
    uniqueIndex("users_email_unique").on(sql`lower(${user.email})`),
    uniqueIndex("users_system_admin_unique")
      .on(user.isSystemAdmin)
      .where(sql`${user.isSystemAdmin}`),
    index("users_role_id_index").on(user.roleId),
    check(
      "users_email_form_check",
      sql`${user.email} = lower(${user.email}) and char_length(${user.email}) between 3 and 254`,
    ),
    check("users_name_length_check", sql`char_length(${user.name}) between 1 and 100`),
  ],
);
