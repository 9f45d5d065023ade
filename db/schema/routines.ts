import { sql } from "drizzle-orm";
import {
  check,
  foreignKey,
  index,
  integer,
  numeric,
  pgTable,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { exercises } from "./exercises.ts";
import { users } from "./users.ts";

/** A training unit as written: exercises with targets. */
export const routines = pgTable(
  "routines",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    ownerId: uuid().notNull(),
    name: text().notNull(),
    description: text(),
    sharing: text().notNull().default("private"),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    version: integer().notNull().default(1),
  },
  (routine) => [
    foreignKey({
      name: "routines_owner_id_fkey",
      columns: [routine.ownerId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    uniqueIndex("routines_owner_name_unique").on(routine.ownerId, sql`lower(${routine.name})`),
    index("routines_public_index").on(routine.id).where(sql`${routine.sharing} = 'public'`),
    check(
      "routines_name_length_check",
      sql`${routine.name} = btrim(${routine.name}) and char_length(${routine.name}) between 1 and 100`,
    ),
    check("routines_description_length_check", sql`char_length(${routine.description}) <= 2000`),
    check("routines_sharing_check", sql`${routine.sharing} in ('private', 'shared', 'public')`),
  ],
);

/** One exercise of a routine, with the targets that fit its mode. */
export const routineExercises = pgTable(
  "routine_exercises",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    routineId: uuid().notNull(),
    position: smallint().notNull(),
    // Null after the exercise was deleted; its name stays.
    exerciseId: uuid(),
    exerciseName: text().notNull(),
    mode: text().notNull(),
    sets: smallint().notNull(),
    repsMin: smallint(),
    repsMax: smallint(),
    weight: numeric({ precision: 7, scale: 3 }),
    weightUnit: text(),
    timeS: integer(),
    distanceM: integer(),
    rpe: numeric({ precision: 3, scale: 1 }),
    rir: smallint(),
    restS: integer(),
    tempo: text(),
    supersetGroup: smallint(),
    notes: text(),
  },
  (entry) => [
    foreignKey({
      name: "routine_exercises_routine_id_fkey",
      columns: [entry.routineId],
      foreignColumns: [routines.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "routine_exercises_exercise_id_fkey",
      columns: [entry.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("set null"),
    unique("routine_exercises_position_unique").on(entry.routineId, entry.position),
    index("routine_exercises_exercise_id_index").on(entry.exerciseId),
    check("routine_exercises_position_check", sql`${entry.position} between 1 and 100`),
    check(
      "routine_exercises_name_length_check",
      sql`char_length(${entry.exerciseName}) between 1 and 100`,
    ),
    check(
      "routine_exercises_mode_check",
      sql`${entry.mode} in ('reps', 'time', 'distance', 'sets_only')`,
    ),
    check("routine_exercises_sets_check", sql`${entry.sets} between 1 and 100`),
    check(
      "routine_exercises_reps_check",
      sql`${entry.repsMin} between 1 and 10000 and ${entry.repsMax} between ${entry.repsMin} and 10000`,
    ),
    check(
      "routine_exercises_reps_pair_check",
      sql`(${entry.repsMin} is null) = (${entry.repsMax} is null)`,
    ),
    check(
      "routine_exercises_weight_check",
      sql`${entry.weight} between 0 and 2000 and ${entry.weightUnit} in ('kg', 'lb')`,
    ),
    check(
      "routine_exercises_weight_pair_check",
      sql`(${entry.weight} is null) = (${entry.weightUnit} is null)`,
    ),
    check(
      "routine_exercises_target_mode_check",
      sql`(${entry.repsMin} is null or ${entry.mode} = 'reps') and (${entry.timeS} is null or ${entry.mode} = 'time')
        and (${entry.distanceM} is null or ${entry.mode} = 'distance')`,
    ),
    check("routine_exercises_time_check", sql`${entry.timeS} between 1 and 86400`),
    check("routine_exercises_distance_check", sql`${entry.distanceM} between 1 and 1000000`),
    check(
      "routine_exercises_effort_check",
      sql`${entry.rpe} between 1 and 10 and mod(${entry.rpe} * 2, 1) = 0 and ${entry.rir} is null
        or ${entry.rir} between 0 and 20 and ${entry.rpe} is null or ${entry.rpe} is null and ${entry.rir} is null`,
    ),
    check("routine_exercises_rest_check", sql`${entry.restS} between 0 and 3600`),
    check("routine_exercises_tempo_check", sql`${entry.tempo} ~ '^[0-9X]{3,4}$'`),
    check("routine_exercises_superset_check", sql`${entry.supersetGroup} between 1 and 50`),
    check("routine_exercises_notes_length_check", sql`char_length(${entry.notes}) <= 1000`),
  ],
);
