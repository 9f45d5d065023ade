import { sql } from "drizzle-orm";
import {
  boolean,
  check,
  foreignKey,
  index,
  integer,
  jsonb,
  numeric,
  pgTable,
  smallint,
  text,
  timestamp,
  unique,
  uniqueIndex,
  uuid,
} from "drizzle-orm/pg-core";
import { bytea } from "./bytea.ts";
import { exercises } from "./exercises.ts";
import { imports } from "./imports.ts";
import { plans } from "./plans.ts";
import { routines } from "./routines.ts";
import { users } from "./users.ts";

/** Training as performed. Keeps the names of a plan or routine that was deleted since. */
export const workouts = pgTable(
  "workouts",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    userId: uuid().notNull(),
    planId: uuid(),
    planName: text(),
    routineId: uuid(),
    routineName: text(),
    name: text(),
    status: text().notNull(),
    startedAt: timestamp({ withTimezone: true }).notNull(),
    endedAt: timestamp({ withTimezone: true }),
    // Longer than seven days, and stored before that limit existed.
    isLengthExempt: boolean().notNull().default(false),
    timeZone: text().notNull(),
    bodyWeightKg: numeric({ precision: 6, scale: 3 }),
    notes: text(),
    // The file that it was imported from, and its key within the file. With them, importing the
    // same file again adds nothing.
    importId: uuid(),
    importKey: bytea(),
    // The version that the import wrote, to detect later changes; null if it is 1 or unknown.
    importVersion: integer(),
    // When it was moved to the trash; deleted 30 days later.
    deletedAt: timestamp({ withTimezone: true }),
    createdAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    updatedAt: timestamp({ withTimezone: true }).notNull().defaultNow(),
    version: integer().notNull().default(1),
  },
  (workout) => [
    foreignKey({
      name: "workouts_user_id_fkey",
      columns: [workout.userId],
      foreignColumns: [users.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "workouts_plan_id_fkey",
      columns: [workout.planId],
      foreignColumns: [plans.id],
    }).onDelete("set null"),
    foreignKey({
      name: "workouts_routine_id_fkey",
      columns: [workout.routineId],
      foreignColumns: [routines.id],
    }).onDelete("set null"),
    foreignKey({
      name: "workouts_import_id_fkey",
      columns: [workout.importId],
      foreignColumns: [imports.id],
    }).onDelete("set null"),
    index("workouts_import_id_index")
      .on(workout.importId)
      .where(sql`${workout.importId} is not null`),
    uniqueIndex("workouts_user_import_key_unique")
      .on(workout.userId, workout.importKey)
      .where(sql`${workout.importKey} is not null`),
    index("workouts_user_started_at_index").on(workout.userId, workout.startedAt, workout.id),
    index("workouts_plan_id_index").on(workout.planId),
    index("workouts_routine_id_index").on(workout.routineId),
    index("workouts_deleted_at_index")
      .on(workout.deletedAt)
      .where(sql`${workout.deletedAt} is not null`),
    check(
      "workouts_status_check",
      sql`${workout.status} in ('in_progress', 'completed', 'aborted')`,
    ),
    check(
      "workouts_ended_check",
      sql`(${workout.status} = 'in_progress') = (${workout.endedAt} is null)`,
    ),
    check("workouts_order_check", sql`${workout.endedAt} >= ${workout.startedAt}`),
    check(
      "workouts_length_check",
      sql`${workout.isLengthExempt} or ${workout.endedAt} - ${workout.startedAt} <= interval '7 days'`,
    ),
    check(
      "workouts_time_zone_length_check",
      sql`char_length(${workout.timeZone}) between 1 and 64`,
    ),
    check("workouts_name_length_check", sql`char_length(${workout.name}) between 1 and 100`),
    check("workouts_body_weight_check", sql`${workout.bodyWeightKg} between 1 and 700`),
    check("workouts_notes_length_check", sql`char_length(${workout.notes}) <= 5000`),
  ],
);

export const workoutExercises = pgTable(
  "workout_exercises",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    workoutId: uuid().notNull(),
    position: smallint().notNull(),
    exerciseId: uuid(),
    exerciseName: text().notNull(),
    mode: text().notNull(),
    // The targets of the routine at that time; null for an unplanned exercise.
    targets: jsonb(),
    supersetGroup: smallint(),
    notes: text(),
  },
  (entry) => [
    foreignKey({
      name: "workout_exercises_workout_id_fkey",
      columns: [entry.workoutId],
      foreignColumns: [workouts.id],
    }).onDelete("cascade"),
    foreignKey({
      name: "workout_exercises_exercise_id_fkey",
      columns: [entry.exerciseId],
      foreignColumns: [exercises.id],
    }).onDelete("set null"),
    // A set has the mode of its exercise.
    unique("workout_exercises_mode_unique").on(entry.id, entry.mode),
    // Deferrable in the migration, which drizzle cannot express: moving one entry shifts others in
    // the same statement.
    unique("workout_exercises_position_unique").on(entry.workoutId, entry.position),
    index("workout_exercises_exercise_id_index").on(entry.exerciseId),
    check("workout_exercises_position_check", sql`${entry.position} >= 1`),
    check(
      "workout_exercises_name_length_check",
      sql`char_length(${entry.exerciseName}) between 1 and 100`,
    ),
    check(
      "workout_exercises_mode_check",
      sql`${entry.mode} in ('reps', 'time', 'distance', 'sets_only')`,
    ),
    check("workout_exercises_superset_check", sql`${entry.supersetGroup} between 1 and 50`),
    check("workout_exercises_notes_length_check", sql`char_length(${entry.notes}) <= 1000`),
  ],
);

export const workoutSets = pgTable(
  "workout_sets",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    workoutExerciseId: uuid().notNull(),
    mode: text().notNull(),
    position: smallint().notNull(),
    type: text().notNull().default("working"),
    weight: numeric({ precision: 7, scale: 3 }),
    weightUnit: text(),
    weightKg: numeric({ precision: 8, scale: 4 }),
    reps: smallint(),
    timeS: integer(),
    distanceM: integer(),
    rpe: numeric({ precision: 3, scale: 1 }),
    rir: smallint(),
    restS: integer(),
    completedAt: timestamp({ withTimezone: true }),
    note: text(),
  },
  (set) => [
    foreignKey({
      name: "workout_sets_workout_exercise_fkey",
      columns: [set.workoutExerciseId, set.mode],
      foreignColumns: [workoutExercises.id, workoutExercises.mode],
    })
      .onDelete("cascade")
      .onUpdate("cascade"),
    unique("workout_sets_position_unique").on(set.workoutExerciseId, set.position),
    check("workout_sets_position_check", sql`${set.position} >= 1`),
    check(
      "workout_sets_type_check",
      sql`${set.type} in ('warmup', 'working', 'drop', 'failure', 'myo', 'partial')`,
    ),
    check(
      "workout_sets_weight_check",
      sql`${set.weight} between 0 and 2000 and ${set.weightUnit} in ('kg', 'lb')`,
    ),
    check(
      "workout_sets_weight_pair_check",
      sql`(${set.weight} is null) = (${set.weightUnit} is null) and (${set.weight} is null) = (${set.weightKg} is null)`,
    ),
    check(
      "workout_sets_metric_check",
      sql`(${set.reps} is null or ${set.mode} = 'reps') and (${set.timeS} is null or ${set.mode} = 'time')
        and (${set.distanceM} is null or ${set.mode} = 'distance')`,
    ),
    check("workout_sets_reps_check", sql`${set.reps} between 0 and 10000`),
    check("workout_sets_time_check", sql`${set.timeS} between 0 and 86400`),
    check("workout_sets_distance_check", sql`${set.distanceM} between 0 and 1000000`),
    check(
      "workout_sets_rpe_check",
      sql`${set.rpe} between 1 and 10 and mod(${set.rpe} * 2, 1) = 0`,
    ),
    check("workout_sets_rir_check", sql`${set.rir} between 0 and 20`),
    check("workout_sets_rest_check", sql`${set.restS} between 0 and 3600`),
    check("workout_sets_note_length_check", sql`char_length(${set.note}) <= 500`),
  ],
);
