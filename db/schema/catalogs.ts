import { sql } from "drizzle-orm";
import { check, pgTable, smallint, text, unique } from "drizzle-orm/pg-core";

/** The three reference tables have the same columns: a small id and a lower-case name. */
const catalogTable = <Name extends string>(name: Name) =>
  pgTable(
    name,
    {
      id: smallint().primaryKey().generatedAlwaysAsIdentity(),
      name: text().notNull(),
    },
    (entry) => [
      unique(`${name}_name_unique`).on(entry.name),
      check(
        `${name}_name_form_check`,
        sql`${entry.name} = lower(btrim(${entry.name})) and char_length(${entry.name}) between 3 and 100`,
      ),
    ],
  );

export const equipment = catalogTable("equipment");
export const muscleGroups = catalogTable("muscle_groups");
export const exerciseTags = catalogTable("exercise_tags");
