/**
 * Who gets what from every operation: the reviewed table that `src/access/access-matrix.test.ts` holds the API to. An
 * operation without a row here fails the build. Columns are the actors below, in their order; each cell is a status.
 */
export const ACTORS = ["nobody", "garbage", "inactive", "deleted", "owner", "other", "trainer", "superuser"] as const;
export type ActorName = (typeof ACTORS)[number];

/** What the request is about: `own` is the owner's, `system` the catalog's, `absent` nobody's. */
export type Subject = "none" | "own" | "system" | "absent";

const OPEN = "200 200 200 200 200 200 200 200";
const SIGNED_IN = "401 401 401 401 200 200 200 200";
const OWNERS = "401 401 401 401 200 404 404 404";
const OWNERS_204 = "401 401 401 401 204 404 404 404";
const OWNERS_201 = "401 401 401 401 201 404 404 404";
const CREATED = "401 401 401 401 201 201 201 201";
const ABSENT = "401 401 401 401 404 404 404 404";
const SUPERUSERS = "401 401 401 401 403 403 403 200";
const SUPERUSERS_ABSENT = "401 401 401 401 403 403 403 404";
const TRAINERS_201 = "401 401 401 401 403 403 201 403";
const TRAINERS_ABSENT = "401 401 401 401 403 403 404 403";

export const MATRIX: [operation: string, subject: Subject, statuses: string][] = [
  ["Ping", "none", OPEN],
  ["GetLiveness", "none", OPEN],
  ["GetReadiness", "none", OPEN],
  ["GetHealth", "none", OPEN],
  ["GetOpenApi", "none", OPEN],
  ["GetDocs", "none", OPEN],
  ["GetDocsStart", "none", OPEN],
  ["GetDocsStyle", "none", OPEN],
  ["GetDocsScript", "none", OPEN],
  ["ListPublicKeys", "none", OPEN],
  ["AccountRegister", "none", "201 201 201 201 201 201 201 201"],
  // With the owner's own address and password, whoever asks.
  ["AccountLogin", "own", "204 204 204 204 204 204 204 204"],
  ["AccountLogin", "absent", "401 401 401 401 401 401 401 401"],
  // With the access cookie alone.
  ["RefreshAccessToken", "none", "401 401 401 401 401 401 401 401"],
  ["AccountLogout", "none", "401 401 401 401 204 204 204 204"],
  ["AccountProfile", "none", SIGNED_IN],
  ["AccountUpdatePwd", "none", "401 401 401 401 204 204 204 204"],
  ["ListLogins", "none", SIGNED_IN],
  ["RevokeLogin", "own", OWNERS_204],
  ["RevokeLogin", "absent", ABSENT],
  ["RevokeOtherLogins", "none", "401 401 401 401 204 204 204 204"],
  ["CreateUser", "none", "401 401 401 401 403 403 403 201"],
  ["ListUsers", "none", SUPERUSERS],
  ["GetUser", "own", SUPERUSERS],
  ["GetUser", "absent", SUPERUSERS_ABSENT],
  ["UpdateUser", "own", SUPERUSERS],
  ["UpdateUser", "absent", SUPERUSERS_ABSENT],
  ["DeleteUser", "own", "401 401 401 401 403 403 403 204"],
  ["DeleteUser", "absent", SUPERUSERS_ABSENT],
  ["AssignRole", "own", SUPERUSERS],
  ["AssignRole", "absent", SUPERUSERS_ABSENT],
  ["RevokeRole", "own", "401 401 401 401 403 403 403 409"],
  ["RevokeRole", "absent", SUPERUSERS_ABSENT],
  ["ListAuditEvents", "none", SUPERUSERS],
  ["ListEquipment", "none", SIGNED_IN],
  ["GetEquipment", "system", SIGNED_IN],
  ["GetEquipment", "absent", ABSENT],
  ["ListMuscleGroups", "none", SIGNED_IN],
  ["GetMuscleGroup", "system", SIGNED_IN],
  ["GetMuscleGroup", "absent", ABSENT],
  ["ListExerciseTags", "none", SIGNED_IN],
  ["GetExerciseTag", "system", SIGNED_IN],
  ["GetExerciseTag", "absent", ABSENT],
  ["CreateEquipment", "none", "401 401 401 401 403 403 403 201"],
  // The one that is there is in use.
  ["UpdateEquipment", "system", SUPERUSERS],
  ["UpdateEquipment", "absent", SUPERUSERS_ABSENT],
  ["DeleteEquipment", "system", "401 401 401 401 403 403 403 409"],
  ["DeleteEquipment", "absent", SUPERUSERS_ABSENT],
  ["CreateMuscleGroup", "none", "401 401 401 401 403 403 403 201"],
  // The one that is there is in use.
  ["UpdateMuscleGroup", "system", SUPERUSERS],
  ["UpdateMuscleGroup", "absent", SUPERUSERS_ABSENT],
  ["DeleteMuscleGroup", "system", "401 401 401 401 403 403 403 409"],
  ["DeleteMuscleGroup", "absent", SUPERUSERS_ABSENT],
  ["CreateExerciseTag", "none", "401 401 401 401 403 403 403 201"],
  // The one that is there is in use.
  ["UpdateExerciseTag", "system", SUPERUSERS],
  ["UpdateExerciseTag", "absent", SUPERUSERS_ABSENT],
  ["DeleteExerciseTag", "system", "401 401 401 401 403 403 403 409"],
  ["DeleteExerciseTag", "absent", SUPERUSERS_ABSENT],
  ["ListExercises", "none", SIGNED_IN],
  ["CountExercises", "none", SIGNED_IN],
  ["FindExercise", "own", OWNERS],
  ["FindExercise", "system", SIGNED_IN],
  ["FindExercise", "absent", ABSENT],
  ["GetExercise", "own", OWNERS],
  ["GetExercise", "system", SIGNED_IN],
  ["GetExercise", "absent", ABSENT],
  ["CreateUserExercise", "none", CREATED],
  ["CreateSystemExercise", "none", "401 401 401 401 403 403 403 201"],
  ["UpdateUserExercise", "own", OWNERS],
  ["UpdateUserExercise", "system", ABSENT],
  ["UpdateUserExercise", "absent", ABSENT],
  ["UpdateSystemExercise", "own", SUPERUSERS_ABSENT],
  ["UpdateSystemExercise", "system", SUPERUSERS],
  ["UpdateSystemExercise", "absent", SUPERUSERS_ABSENT],
  ["DeleteExercise", "own", OWNERS_204],
  ["DeleteExercise", "system", "401 401 401 401 403 403 403 204"],
  ["DeleteExercise", "absent", ABSENT],
  ["CreateRoutine", "none", CREATED],
  ["ListRoutines", "none", SIGNED_IN],
  ["GetRoutine", "own", OWNERS],
  ["GetRoutine", "absent", ABSENT],
  ["UpdateRoutine", "own", OWNERS],
  ["UpdateRoutine", "absent", ABSENT],
  ["CloneRoutine", "own", OWNERS_201],
  ["CloneRoutine", "absent", ABSENT],
  ["DeleteRoutine", "own", OWNERS_204],
  ["DeleteRoutine", "absent", ABSENT],
  ["CreatePlan", "none", CREATED],
  ["ListPlans", "none", SIGNED_IN],
  ["GetPlan", "own", OWNERS],
  ["GetPlan", "absent", ABSENT],
  ["UpdatePlan", "own", OWNERS],
  ["UpdatePlan", "absent", ABSENT],
  ["ClonePlan", "own", OWNERS_201],
  ["ClonePlan", "absent", ABSENT],
  ["DeletePlan", "own", OWNERS_204],
  ["DeletePlan", "absent", ABSENT],
  // Of the owner's routine, to a new account each time.
  ["CreateGrant", "own", OWNERS_201],
  ["CreateGrant", "absent", ABSENT],
  ["ListGrants", "none", SIGNED_IN],
  ["UpdateGrant", "own", OWNERS],
  ["UpdateGrant", "absent", ABSENT],
  ["DeleteGrant", "own", OWNERS_204],
  ["DeleteGrant", "absent", ABSENT],
  // The owner is another trainer's client; `AcceptTrainer` is about an invitation of theirs.
  ["InviteClient", "own", TRAINERS_201],
  ["InviteClient", "absent", TRAINERS_ABSENT],
  ["ListClients", "none", "401 401 401 401 403 403 200 403"],
  ["EndClient", "own", TRAINERS_ABSENT],
  ["EndClient", "absent", TRAINERS_ABSENT],
  ["ListTrainers", "none", SIGNED_IN],
  ["AcceptTrainer", "own", OWNERS],
  ["AcceptTrainer", "absent", ABSENT],
  ["ChangeTrainerScopes", "own", OWNERS],
  ["ChangeTrainerScopes", "absent", ABSENT],
  ["EndTrainer", "own", OWNERS_204],
  ["EndTrainer", "absent", ABSENT],
  // One's own records in it, of which there are none.
  ["GetRecords", "own", SIGNED_IN],
  ["GetRecords", "system", SIGNED_IN],
  ["ListVolume", "none", SIGNED_IN],
  ["StartWorkout", "none", CREATED],
  ["ListWorkouts", "none", SIGNED_IN],
  ["ListTrashedWorkouts", "none", SIGNED_IN],
  ["ListTrainingDays", "none", SIGNED_IN],
  ["GetWorkout", "own", OWNERS],
  ["GetWorkout", "absent", ABSENT],
  ["UpdateWorkout", "own", OWNERS],
  ["UpdateWorkout", "absent", ABSENT],
  ["FinishWorkout", "own", OWNERS],
  ["FinishWorkout", "absent", ABSENT],
  ["AbortWorkout", "own", OWNERS],
  ["AbortWorkout", "absent", ABSENT],
  ["UpdateWorkoutExercise", "own", OWNERS],
  ["UpdateWorkoutExercise", "absent", ABSENT],
  ["UpdateSet", "own", OWNERS],
  ["UpdateSet", "absent", ABSENT],
  // It is in progress, and in nobody's trash.
  ["ReopenWorkout", "own", "401 401 401 401 409 404 404 404"],
  ["RestoreWorkout", "own", ABSENT],
  ["DeleteWorkout", "own", OWNERS_204],
  ["DeleteWorkout", "absent", ABSENT],
  ["DeleteWorkoutExercise", "own", OWNERS_204],
  ["DeleteWorkoutExercise", "absent", ABSENT],
  ["DeleteSet", "own", OWNERS_204],
  ["DeleteSet", "absent", ABSENT],
  ["AddWorkoutExercise", "own", OWNERS_201],
  ["AddWorkoutExercise", "absent", ABSENT],
  ["LogSet", "own", OWNERS_201],
  ["LogSet", "absent", ABSENT],
];

/** Operations whose answers may show another person's data to the actor named. */
export const MAY_SEE_OTHERS: ActorName = "superuser";
