import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  text,
  timestamp,
  uuid,
} from "drizzle-orm/pg-core";
import { exercises } from "./exercises.ts";
import { users } from "./users.ts";

/** An imported file of training. The import can be undone. */
export const imports = pgTable(
  "imports",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    userId: uuid().notNull(),
    format: text().notNull(),
    workoutCount: integer().notNull(),
    setCount: integer().notNull(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    undoneAt: timestamp({ withTimezone: true }),
  },
  (entry) => [
    foreignKey({
      name: "imports_user_id_fkey",
      columns: [entry.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    index("imports_user_id_index").on(entry.userId, entry.id),
    check("imports_format_check", sql`${entry.format} in ('strong', 'hevy', 'fitnotes')`),
    check("imports_count_check", sql`${entry.workoutCount} >= 0 and ${entry.setCount} >= 0`),
  ],
);

/** The exercise that a user has chosen for a name in the files of other apps. */
export const importNames = pgTable(
  "import_names",
  {
    userId: uuid().notNull(),
    // Normalised for comparison: lower case, without accents.
    form: text().notNull(),
    name: text().notNull(),
    exerciseId: uuid().notNull(),
  },
  (entry) => [
    primaryKey({ name: "import_names_pkey", columns: [entry.userId, entry.form] }),
    foreignKey({
      name: "import_names_user_id_fkey",
      columns: [entry.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "import_names_exercise_id_fkey",
      columns: [entry.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("cascade"),
    index("import_names_exercise_id_index").on(entry.exerciseId),
    check("import_names_name_length_check", sql`char_length(${entry.name}) between 1 and 100`),
  ],
);
