import { postgresError } from "#lib/causes.ts";
import { AppError } from "#lib/errors.ts";

type Answer = () => AppError;

const conflict =
  (reason: string, detail: string): Answer =>
  () =>
    new AppError("conflict", reason, detail);
const invalid =
  (reason: string, detail: string): Answer =>
  () =>
    new AppError("invalid", reason, detail);
const notFound =
  (reason: string, what: string): Answer =>
  () =>
    new AppError("not_found", reason, `${what} not found`);

/**
 * The actor's own account was deleted while the request was running; the same answer as to their
 * next request.
 */
const actorGone: Answer = () =>
  new AppError("unauthenticated", "access.user_gone", "Invalid authentication credentials");
const userNotFound = notFound("users.not_found", "User");
const planNotFound = notFound("plans.not_found", "Plan");
const routineNotFound = notFound("routines.not_found", "Routine");
const exerciseNotFound = notFound("exercises.not_found", "Exercise");
const musclesNotFound = notFound("exercises.muscles_not_found", "Muscle group");
const changedMeanwhile = conflict(
  "changed_meanwhile",
  "It was changed at the same time; please try again",
);
const workoutIdTaken = conflict("workouts.id_taken", "There is something with this id already");
const grantExists = conflict(
  "grants.exists",
  "It is shared with this account already: change that grant",
);
const exerciseNameTaken = conflict(
  "exercises.name_taken",
  "There is an exercise with this name already",
);

/**
 * The error for a request that breaks a constraint, by the constraint's name. A foreign key breaks
 * if a row that the request refers to is deleted between the check and the write. Services that
 * know more (which name is taken, or that a deletion is the cause) use `translateViolations`; all other
 * violations are translated here, wherever they were thrown.
 */
export const BROKEN_CONSTRAINTS: Readonly<Record<string, Answer>> = {
  users_email_unique: conflict("users.email_taken", "A user with this email already exists"),
  users_system_admin_unique: conflict(
    "users.system_administrator_exists",
    "There is a system administrator already",
  ),
  logins_user_id_fkey: actorGone,
  idempotency_keys_user_id_fkey: actorGone,

  equipment_name_unique: conflict(
    "equipment.name_taken",
    "An equipment with this name already exists",
  ),
  muscle_groups_name_unique: conflict(
    "muscle_groups.name_taken",
    "A muscle group with this name already exists",
  ),
  exercise_tags_name_unique: conflict(
    "exercise_tags.name_taken",
    "An exercise tag with this name already exists",
  ),

  exercises_pkey: conflict("exercises.id_taken", "There is an exercise with this id already"),
  exercises_owner_id_fkey: actorGone,
  exercises_owner_name_unique: exerciseNameTaken,
  exercises_system_name_unique: exerciseNameTaken,
  exercises_system_slug_unique: exerciseNameTaken,
  exercise_equipment_exercise_id_fkey: exerciseNotFound,
  exercise_equipment_equipment_id_fkey: notFound("exercises.equipment_not_found", "Equipment"),
  exercise_primary_muscles_exercise_id_fkey: exerciseNotFound,
  exercise_primary_muscles_muscle_group_id_fkey: musclesNotFound,
  exercise_secondary_muscles_exercise_id_fkey: exerciseNotFound,
  exercise_secondary_muscles_muscle_group_id_fkey: musclesNotFound,
  exercise_tag_links_exercise_id_fkey: exerciseNotFound,
  exercise_tag_links_exercise_tag_id_fkey: notFound("exercises.tags_not_found", "Exercise tag"),

  routines_pkey: conflict("routines.id_taken", "There is a routine with this id already"),
  routines_owner_id_fkey: actorGone,
  routines_owner_name_unique: conflict(
    "routines.name_taken",
    "You already have a routine with this name",
  ),
  routine_exercises_routine_id_fkey: routineNotFound,
  routine_exercises_exercise_id_fkey: notFound("routines.exercise_not_found", "Exercise"),
  routine_exercises_position_unique: changedMeanwhile,

  plans_pkey: conflict("plans.id_taken", "There is a plan with this id already"),
  plans_owner_id_fkey: actorGone,
  plans_owner_name_unique: conflict("plans.name_taken", "You already have a plan with this name"),
  plans_assigned_from_plan_id_fkey: planNotFound,
  plans_assigned_by_fkey: actorGone,
  plan_routines_plan_id_fkey: planNotFound,
  plan_routines_routine_id_fkey: notFound("plans.routine_not_found", "Routine"),
  plan_routines_position_unique: changedMeanwhile,

  workouts_pkey: workoutIdTaken,
  workouts_user_id_fkey: actorGone,
  workouts_plan_id_fkey: planNotFound,
  workouts_routine_id_fkey: routineNotFound,
  workouts_import_id_fkey: notFound("imports.not_found", "Import"),
  workouts_user_import_key_unique: changedMeanwhile,
  workouts_order_check: invalid("workouts.ends_before_start", "The workout ends before it starts"),
  workouts_length_check: () =>
    new AppError(
      "invalid",
      "workouts.too_long",
      "A workout lasts at most 7 days: say when it ended",
      {
        errors: [
          { field: "/endedAt", code: "range", message: "Must be at most 7 days after startedAt" },
        ],
      },
    ),
  workouts_ended_check: invalid(
    "workouts.status_mismatch",
    "A workout that is over has an end, and no other has",
  ),
  workout_exercises_pkey: workoutIdTaken,
  workout_exercises_position_unique: changedMeanwhile,
  workout_exercises_workout_id_fkey: notFound("workouts.not_found", "Workout"),
  workout_exercises_exercise_id_fkey: notFound("workouts.exercise_not_found", "Exercise"),
  workout_sets_pkey: workoutIdTaken,
  workout_sets_position_unique: changedMeanwhile,
  workout_sets_workout_exercise_fkey: notFound(
    "workouts.exercise_not_found",
    "Exercise of the workout",
  ),

  imports_user_id_fkey: actorGone,
  import_names_user_id_fkey: actorGone,
  import_names_exercise_id_fkey: notFound("imports.exercise_not_found", "Exercise"),

  grants_owner_id_fkey: actorGone,
  grants_grantee_id_fkey: userNotFound,
  grants_routine_id_fkey: routineNotFound,
  grants_plan_id_fkey: planNotFound,
  grants_not_oneself_check: invalid("grants.oneself", "What is yours needs no grant to you"),
  grants_routine_grantee_unique: grantExists,
  grants_plan_grantee_unique: grantExists,
  links_owner_id_fkey: actorGone,
  links_routine_id_fkey: routineNotFound,
  links_plan_id_fkey: planNotFound,
  clients_trainer_id_fkey: actorGone,
  clients_client_id_fkey: userNotFound,
  clients_live_pair_unique: conflict("clients.exists", "You have invited this account already"),
  clients_not_oneself_check: invalid("clients.oneself", "You cannot be your own client"),
  clients_within_asked_check: invalid(
    "clients.beyond_invitation",
    "The trainer did not ask for that",
  ),
};

/**
 * Data exceptions that stored values cause, not the request's: a sum beyond its type's range, a
 * division by zero.
 */
const OF_STORED_VALUES = new Set(["22003", "22012"]);

/**
 * The error for a value that PostgreSQL refused or a constraint that broke; undefined for any other
 * error. `isListed` is false if validation should have refused the value first, or the constraint
 * is not listed above: the client gets an error that it can act on, and the caller must log it as a
 * bug.
 */
export function answerToBroken(
  error: unknown,
): { answer: AppError; isListed: boolean } | undefined {
  const { code = "", constraint_name: constraint = "" } = postgresError(error) ?? {};
  const listed = BROKEN_CONSTRAINTS[constraint]?.();
  if (listed) return { answer: listed, isListed: true };
  if (
    code === "23514" ||
    code === "23502" ||
    (code.startsWith("22") && !OF_STORED_VALUES.has(code))
  ) {
    return {
      answer: new AppError("invalid", "value_refused", "A value is beyond what can be stored", {
        cause: error,
      }),
      isListed: false,
    };
  }
  return code.startsWith("23") ? { answer: changedMeanwhile(), isListed: false } : undefined;
}
