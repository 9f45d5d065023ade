import { sql } from "drizzle-orm";
import { check, pgTable, smallint, text, unique } from "drizzle-orm/pg-core";

export const roles = pgTable(
  "roles",
  {
    id: smallint().primaryKey().generatedAlwaysAsIdentity(),
    slug: text().notNull(),
    name: text().notNull(),
  },
  (role) => [
    unique("roles_slug_unique").on(role.slug),
    unique("roles_name_unique").on(role.name),
    check("roles_slug_form_check", sql`${role.slug} ~ '^[a-z][a-z0-9-]{1,49}$'`),
    check("roles_name_length_check", sql`char_length(${role.name}) between 1 and 100`),
  ],
);
