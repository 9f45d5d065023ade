import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  pgTable,
  primaryKey,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { equipment, exerciseTags, muscleGroups } from "./catalogs.ts";
import { users } from "./users.ts";

/** A movement, of the system catalog (without an owner) or of a user. */
export const exercises = pgTable(
  "exercises",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    ownerId: uuid(),
    name: text().notNull(),
    slug: text(),
    aliases: text().array().notNull().default(sql`'{}'`),
    category: text().notNull(),
    difficulty: text().notNull(),
    force: text(),
    mechanic: text(),
    measure: text().notNull().default("weight_reps"),
    isOneSided: boolean().notNull().default(false),
    instructions: text(),
    imagePathStart: text(),
    imagePathEnd: text(),
    // Name and aliases, one per line, lower case and without accents, with and without hyphens.
    searchText: text().notNull().generatedAlwaysAs(sql`exercise_search_text(name, aliases)`),
    // A denormalised copy of the links below, so that filters and facets read no other table.
    // Updated together with the document.
    primaryMuscleIds: smallint().array().notNull().default(sql`'{}'`),
    secondaryMuscleIds: smallint().array().notNull().default(sql`'{}'`),
    equipmentIds: smallint().array().notNull().default(sql`'{}'`),
    tagIds: smallint().array().notNull().default(sql`'{}'`),
    // The exercise as the API returns it. Every write that changes it renders it (ADR 0006).
    document: text().notNull().default("{}"),
    // The catalog entry that the seed last wrote; null on rows that users wrote.
    seedHash: text(),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    version: integer().notNull().default(1),
  },
  (exercise) => [
    foreignKey({
      name: "exercises_owner_id_fkey",
      columns: [exercise.ownerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    uniqueIndex("exercises_system_slug_unique")
      .on(exercise.slug)
      .where(sql`${exercise.ownerId} is null`),
    uniqueIndex("exercises_system_name_unique")
      .on(sql`lower(${exercise.name})`)
      .where(sql`${exercise.ownerId} is null`),
    uniqueIndex("exercises_owner_name_unique")
      .on(exercise.ownerId, sql`lower(${exercise.name})`)
      .where(sql`${exercise.ownerId} is not null`),
    check(
      "exercises_slug_owner_check",
      sql`(${exercise.ownerId} is null) = (${exercise.slug} is not null)`,
    ),
    check(
      "exercises_slug_form_check",
      sql`${exercise.slug} ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length(${exercise.slug}) <= 120`,
    ),
    check(
      "exercises_name_length_check",
      sql`${exercise.name} = btrim(${exercise.name}) and char_length(${exercise.name}) between 3 and 100`,
    ),
    check(
      "exercises_category_check",
      sql`${exercise.category} in ('strength', 'stretching', 'plyometrics', 'strongman', 'powerlifting', 'cardio', 'olympic weightlifting')`,
    ),
    check(
      "exercises_difficulty_check",
      sql`${exercise.difficulty} in ('beginner', 'intermediate', 'expert')`,
    ),
    check("exercises_force_check", sql`${exercise.force} in ('pull', 'push', 'static')`),
    check("exercises_mechanic_check", sql`${exercise.mechanic} in ('compound', 'isolation')`),
    check(
      "exercises_measure_check",
      sql`${exercise.measure} in ('weight_reps', 'reps', 'time', 'distance')`,
    ),
    check(
      "exercises_instructions_length_check",
      sql`char_length(${exercise.instructions}) <= 10000`,
    ),
    check(
      "exercises_image_path_start_form_check",
      sql`${exercise.imagePathStart} ~ '^/[a-z0-9_-]+(/[a-z0-9_-]+)*\\.(jpg|jpeg|png|webp)$' and char_length(${exercise.imagePathStart}) <= 255`,
    ),
    check(
      "exercises_image_path_end_form_check",
      sql`${exercise.imagePathEnd} ~ '^/[a-z0-9_-]+(/[a-z0-9_-]+)*\\.(jpg|jpeg|png|webp)$' and char_length(${exercise.imagePathEnd}) <= 255`,
    ),
  ],
);

/**
 * The number of exercises of the catalog (without an owner) and of each user. A trigger maintains
 * it, so that the total of a page need not be counted.
 */
export const exerciseCounts = pgTable(
  "exercise_counts",
  { ownerId: uuid(), count: integer().notNull() },
  (counted) => [unique("exercise_counts_owner_id_unique").on(counted.ownerId).nullsNotDistinct()],
);

/** Slugs of catalog entries that an administrator deleted or renamed. The seed skips them. */
export const seedRemovals = pgTable("seed_removals", { slug: text().primaryKey() });

export const exercisePrimaryMuscles = pgTable(
  "exercise_primary_muscles",
  { exerciseId: uuid().notNull(), muscleGroupId: smallint().notNull() },
  (link) => [
    primaryKey({
      name: "exercise_primary_muscles_pkey",
      columns: [link.exerciseId, link.muscleGroupId],
    }),
    index("exercise_primary_muscles_muscle_group_id_index").on(link.muscleGroupId, link.exerciseId),
    foreignKey({
      name: "exercise_primary_muscles_exercise_id_fkey",
      columns: [link.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "exercise_primary_muscles_muscle_group_id_fkey",
      columns: [link.muscleGroupId],
      foreignColumns: [muscleGroups.id],
    }),
  ],
);

export const exerciseSecondaryMuscles = pgTable(
  "exercise_secondary_muscles",
  { exerciseId: uuid().notNull(), muscleGroupId: smallint().notNull() },
  (link) => [
    primaryKey({
      name: "exercise_secondary_muscles_pkey",
      columns: [link.exerciseId, link.muscleGroupId],
    }),
    index("exercise_secondary_muscles_muscle_group_id_index").on(
      link.muscleGroupId,
      link.exerciseId,
    ),
    foreignKey({
      name: "exercise_secondary_muscles_exercise_id_fkey",
      columns: [link.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "exercise_secondary_muscles_muscle_group_id_fkey",
      columns: [link.muscleGroupId],
      foreignColumns: [muscleGroups.id],
    }),
  ],
);

export const exerciseEquipment = pgTable(
  "exercise_equipment",
  { exerciseId: uuid().notNull(), equipmentId: smallint().notNull() },
  (link) => [
    primaryKey({ name: "exercise_equipment_pkey", columns: [link.exerciseId, link.equipmentId] }),
    index("exercise_equipment_equipment_id_index").on(link.equipmentId, link.exerciseId),
    foreignKey({
      name: "exercise_equipment_exercise_id_fkey",
      columns: [link.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "exercise_equipment_equipment_id_fkey",
      columns: [link.equipmentId],
      foreignColumns: [equipment.id],
    }),
  ],
);

export const exerciseTagLinks = pgTable(
  "exercise_tag_links",
  { exerciseId: uuid().notNull(), exerciseTagId: smallint().notNull() },
  (link) => [
    primaryKey({ name: "exercise_tag_links_pkey", columns: [link.exerciseId, link.exerciseTagId] }),
    index("exercise_tag_links_exercise_tag_id_index").on(link.exerciseTagId, link.exerciseId),
    foreignKey({
      name: "exercise_tag_links_exercise_id_fkey",
      columns: [link.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "exercise_tag_links_exercise_tag_id_fkey",
      columns: [link.exerciseTagId],
      foreignColumns: [exerciseTags.id],
    }),
  ],
);
