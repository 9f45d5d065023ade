import {
  assign,
  ENTRY,
  entry,
  exercise,
  type Fixtures,
  fresh,
  make,
  makeClient,
  makePlan,
  makeRoutine,
  newExercise,
  own,
  plan,
  posting,
  type Recipe,
  relinking,
  routine,
  sendFile,
  user,
  userPosts,
} from "./deletion-races.ts";
import { makeExercise, makeSignedIn, PASSWORD } from "./fixtures.ts";
import { expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

const makeTag = (fixtures: Fixtures) =>
  make(fixtures, fixtures.admin, "catalogs/exercise-tags", { name: fresh() });
const makeEquipment = (fixtures: Fixtures) =>
  make(fixtures, fixtures.admin, "catalogs/equipment", { name: fresh() });

/** For each foreign key: a request that writes it, and one that deletes the referenced row. */
export const RECIPES: Record<string, Recipe> = {
  exercises_owner_id_fkey: userPosts("exercises/user", newExercise),
  logins_user_id_fkey: user(({ api }, { user: { email } }) => {
    const body = { username: email, password: PASSWORD };
    return () => api.post(`${API}/access/signin`, { body });
  }),
  routines_owner_id_fkey: userPosts("routines", () => ({ name: fresh(), exercises: [] })),
  plans_owner_id_fkey: userPosts("plans", () => ({ name: fresh(), routines: [] })),
  workouts_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" })),
  changes_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" })),
  idempotency_keys_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" }), {
    "idempotency-key": "k",
  }),
  imports_user_id_fkey: user(
    (fixtures, { as }) =>
      () =>
        sendFile(fixtures, as),
  ),
  import_names_user_id_fkey: user(async (fixtures, { as }) => {
    const names = [{ name: "X", exerciseId: await makeExercise(fixtures.api, { name: fresh() }) }];
    return () => fixtures.api.patch(`${API}/imports/names`, { as, body: { names } });
  }),
  grants_owner_id_fkey: user(async (fixtures, { as }) => {
    const { user: friend } = await makeSignedIn(fixtures.api);
    const body = {
      routineId: await makeRoutine(fixtures, as),
      email: friend.email,
      access: "read",
    };
    return () => fixtures.api.post(`${API}/grants`, { as, body });
  }),
  grants_grantee_id_fkey: user(async (fixtures, { user: { email } }) => {
    const { as } = await makeSignedIn(fixtures.api);
    const body = { routineId: await makeRoutine(fixtures, as), email, access: "read" };
    return () => fixtures.api.post(`${API}/grants`, { as, body });
  }),
  links_owner_id_fkey: user(async (fixtures, { as }) => {
    const body = { routineId: await makeRoutine(fixtures, as) };
    return () => fixtures.api.post(`${API}/links`, { as, body });
  }),
  clients_trainer_id_fkey: user(async (fixtures, { as }) => {
    const { user: client } = await makeSignedIn(fixtures.api);
    return () =>
      fixtures.api.post(`${API}/clients`, {
        as,
        body: { email: client.email, scopes: ["write_plans"] },
      });
  }),
  clients_client_id_fkey: user(async ({ api }, { user: { email } }) => {
    const { as } = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    return () => api.post(`${API}/clients`, { as, body: { email, scopes: ["write_plans"] } });
  }),
  plans_assigned_by_fkey: user(async (fixtures, { as }) => {
    const client = await makeSignedIn(fixtures.api);
    return assign(
      fixtures,
      as,
      await makePlan(fixtures, as),
      await makeClient(fixtures, as, client),
    );
  }),

  exercise_equipment_equipment_id_fkey: entry("equipment", "equipment", (id) => ({
    equipment: [id],
  })),
  exercise_primary_muscles_muscle_group_id_fkey: entry("muscle-groups", "muscle_groups", (id) => ({
    primaryMuscles: [id],
  })),
  exercise_secondary_muscles_muscle_group_id_fkey: entry(
    "muscle-groups",
    "muscle_groups",
    (id) => ({
      secondaryMuscles: [id],
    }),
  ),
  exercise_tag_links_exercise_tag_id_fkey: entry(
    "exercise-tags",
    "exercise_tags",
    (id) => ({ tags: [id], instructions: "Lift." }),
    "system",
  ),

  exercise_equipment_exercise_id_fkey: exercise(async (fixtures, as, id) => {
    const equipment = [Number(await makeEquipment(fixtures))];
    return relinking(() => ({ equipment }))(fixtures, as, id);
  }),
  exercise_primary_muscles_exercise_id_fkey: exercise(
    relinking(({ muscle }) => ({ primaryMuscles: [muscle] })),
  ),
  exercise_secondary_muscles_exercise_id_fkey: exercise(
    relinking(({ muscle }) => ({ secondaryMuscles: [muscle] })),
  ),
  exercise_tag_links_exercise_id_fkey: async (fixtures) => {
    const id = await makeExercise(fixtures.api, { name: fresh() });
    const tags = [Number(await makeTag(fixtures))];
    const as = fixtures.admin;
    return {
      create: () => fixtures.api.patch(`${API}/exercises/system/${id}`, { as, body: { tags } }),
      remove: () => fixtures.api.delete(`${API}/exercises/${id}`, { as }),
      table: "exercises",
      id,
    };
  },
  routine_exercises_exercise_id_fkey: exercise(
    posting("routines", (exerciseId) => ({ name: fresh(), exercises: [{ exerciseId, ...ENTRY }] })),
  ),
  workout_exercises_exercise_id_fkey: exercise(
    posting("workouts", (exerciseId) => ({
      timeZone: "UTC",
      exercises: [{ exerciseId, mode: "reps" }],
    })),
  ),
  import_names_exercise_id_fkey: exercise(
    (fixtures, as, exerciseId) => () =>
      fixtures.api.patch(`${API}/imports/names`, {
        as,
        body: { names: [{ name: "X", exerciseId }] },
      }),
  ),

  routine_exercises_routine_id_fkey: routine(
    (fixtures, as, id) => () =>
      fixtures.api.patch(`${API}/routines/${id}`, {
        as,
        body: { exercises: [{ exerciseName: "X", ...ENTRY }] },
      }),
  ),
  plan_routines_routine_id_fkey: routine(
    posting("plans", (routineId) => ({ name: fresh(), routines: [{ routineId, day: 1 }] })),
  ),
  workouts_routine_id_fkey: routine(
    posting("workouts", (routineId) => ({ timeZone: "UTC", routineId })),
  ),
  grants_routine_id_fkey: routine(async (fixtures, as, routineId) => {
    const { user: friend } = await makeSignedIn(fixtures.api);
    return posting("grants", () => ({ routineId, email: friend.email, access: "read" }))(
      fixtures,
      as,
      routineId,
    );
  }),
  links_routine_id_fkey: routine(posting("links", (routineId) => ({ routineId }))),

  plan_routines_plan_id_fkey: plan(async (fixtures, as, id) => {
    const routines = [{ routineId: await makeRoutine(fixtures, as), day: 1 }];
    return () => fixtures.api.patch(`${API}/plans/${id}`, { as, body: { routines } });
  }),
  workouts_plan_id_fkey: plan(async (fixtures, as, planId) => {
    const routineId = await makeRoutine(fixtures, as);
    const body = { routines: [{ routineId, day: 1 }] };
    expectStatus(await fixtures.api.patch(`${API}/plans/${planId}`, { as, body }), 200);
    return posting("workouts", () => ({ timeZone: "UTC", planId, routineId }))(
      fixtures,
      as,
      planId,
    );
  }),
  grants_plan_id_fkey: plan(async (fixtures, as, planId) => {
    const { user: friend } = await makeSignedIn(fixtures.api);
    return posting("grants", () => ({ planId, email: friend.email, access: "write" }))(
      fixtures,
      as,
      planId,
    );
  }),
  links_plan_id_fkey: plan(posting("links", (planId) => ({ planId }))),
  plans_assigned_from_plan_id_fkey: plan(async (fixtures, as, id) =>
    assign(fixtures, as, id, await makeClient(fixtures, as, await makeSignedIn(fixtures.api))),
  ),

  workout_exercises_workout_id_fkey: own(
    "workouts",
    "workouts",
    (fixtures, as) => make(fixtures, as, "workouts", { timeZone: "UTC" }),
    (fixtures, as, id) =>
      posting(`workouts/${id}/exercises`, () => ({
        exerciseName: "X",
        mode: "reps",
        sets: [{ reps: 5 }],
      }))(fixtures, as, id),
  ),
  workout_sets_workout_exercise_fkey: async (fixtures) => {
    const { as } = await makeSignedIn(fixtures.api);
    const id = Bun.randomUUIDv7();
    const exercises = [{ id, exerciseName: "X", mode: "reps" }];
    const workout = `workouts/${await make(fixtures, as, "workouts", { timeZone: "UTC", exercises })}/exercises/${id}`;
    return {
      create: posting(`${workout}/sets`, () => ({ reps: 5 }))(fixtures, as, id),
      remove: () => fixtures.api.delete(`${API}/${workout}`, { as }),
      table: "workout_exercises",
      id,
    };
  },
};
