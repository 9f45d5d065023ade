import {
  assign,
  ENTRY,
  entry,
  exercise,
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
  V1,
  type World,
} from "./deletion-races.ts";
import { makeExercise, makeSignedIn, PASSWORD } from "./fixtures.ts";
import { expectStatus } from "./harness.ts";

const makeTag = (world: World) =>
  make(world, world.admin, "catalogs/exercise-tags", { name: fresh() });
const makeEquipment = (world: World) =>
  make(world, world.admin, "catalogs/equipment", { name: fresh() });

/** For each foreign key: a request that writes it, and one that deletes what it refers to. */
export const RECIPES: Record<string, Recipe> = {
  exercises_owner_id_fkey: userPosts("exercises/user", newExercise),
  logins_user_id_fkey: user(({ api }, { user: { email } }) => {
    const body = { username: email, password: PASSWORD };
    return () => api.post(`${V1}/access/signin`, { body });
  }),
  routines_owner_id_fkey: userPosts("routines", () => ({ name: fresh(), exercises: [] })),
  plans_owner_id_fkey: userPosts("plans", () => ({ name: fresh(), routines: [] })),
  workouts_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" })),
  changes_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" })),
  idempotency_keys_user_id_fkey: userPosts("workouts", () => ({ timeZone: "UTC" }), {
    "idempotency-key": "k",
  }),
  imports_user_id_fkey: user(
    (world, { as }) =>
      () =>
        sendFile(world, as),
  ),
  import_names_user_id_fkey: user(async (world, { as }) => {
    const names = [{ name: "X", exerciseId: await makeExercise(world.api, { name: fresh() }) }];
    return () => world.api.patch(`${V1}/imports/names`, { as, body: { names } });
  }),
  grants_owner_id_fkey: user(async (world, { as }) => {
    const { user: friend } = await makeSignedIn(world.api);
    const body = { routineId: await makeRoutine(world, as), email: friend.email, access: "read" };
    return () => world.api.post(`${V1}/grants`, { as, body });
  }),
  grants_grantee_id_fkey: user(async (world, { user: { email } }) => {
    const { as } = await makeSignedIn(world.api);
    const body = { routineId: await makeRoutine(world, as), email, access: "read" };
    return () => world.api.post(`${V1}/grants`, { as, body });
  }),
  links_owner_id_fkey: user(async (world, { as }) => {
    const body = { routineId: await makeRoutine(world, as) };
    return () => world.api.post(`${V1}/links`, { as, body });
  }),
  clients_trainer_id_fkey: user(async (world, { as }) => {
    const { user: client } = await makeSignedIn(world.api);
    return () =>
      world.api.post(`${V1}/clients`, {
        as,
        body: { email: client.email, scopes: ["write_plans"] },
      });
  }),
  clients_client_id_fkey: user(async ({ api }, { user: { email } }) => {
    const { as } = await makeSignedIn(api, { roleSlug: "fitness-trainer" });
    return () => api.post(`${V1}/clients`, { as, body: { email, scopes: ["write_plans"] } });
  }),
  plans_assigned_by_fkey: user(async (world, { as }) => {
    const client = await makeSignedIn(world.api);
    return assign(world, as, await makePlan(world, as), await makeClient(world, as, client));
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

  exercise_equipment_exercise_id_fkey: exercise(async (world, as, id) => {
    const equipment = [Number(await makeEquipment(world))];
    return relinking(() => ({ equipment }))(world, as, id);
  }),
  exercise_primary_muscles_exercise_id_fkey: exercise(
    relinking(({ muscle }) => ({ primaryMuscles: [muscle] })),
  ),
  exercise_secondary_muscles_exercise_id_fkey: exercise(
    relinking(({ muscle }) => ({ secondaryMuscles: [muscle] })),
  ),
  exercise_tag_links_exercise_id_fkey: async (world) => {
    const id = await makeExercise(world.api, { name: fresh() });
    const tags = [Number(await makeTag(world))];
    const as = world.admin;
    return {
      create: () => world.api.patch(`${V1}/exercises/system/${id}`, { as, body: { tags } }),
      remove: () => world.api.delete(`${V1}/exercises/${id}`, { as }),
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
    (world, as, exerciseId) => () =>
      world.api.patch(`${V1}/imports/names`, { as, body: { names: [{ name: "X", exerciseId }] } }),
  ),

  routine_exercises_routine_id_fkey: routine(
    (world, as, id) => () =>
      world.api.patch(`${V1}/routines/${id}`, {
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
  grants_routine_id_fkey: routine(async (world, as, routineId) => {
    const { user: friend } = await makeSignedIn(world.api);
    return posting("grants", () => ({ routineId, email: friend.email, access: "read" }))(
      world,
      as,
      routineId,
    );
  }),
  links_routine_id_fkey: routine(posting("links", (routineId) => ({ routineId }))),

  plan_routines_plan_id_fkey: plan(async (world, as, id) => {
    const routines = [{ routineId: await makeRoutine(world, as), day: 1 }];
    return () => world.api.patch(`${V1}/plans/${id}`, { as, body: { routines } });
  }),
  workouts_plan_id_fkey: plan(async (world, as, planId) => {
    const routineId = await makeRoutine(world, as);
    const body = { routines: [{ routineId, day: 1 }] };
    expectStatus(await world.api.patch(`${V1}/plans/${planId}`, { as, body }), 200);
    return posting("workouts", () => ({ timeZone: "UTC", planId, routineId }))(world, as, planId);
  }),
  grants_plan_id_fkey: plan(async (world, as, planId) => {
    const { user: friend } = await makeSignedIn(world.api);
    return posting("grants", () => ({ planId, email: friend.email, access: "write" }))(
      world,
      as,
      planId,
    );
  }),
  links_plan_id_fkey: plan(posting("links", (planId) => ({ planId }))),
  plans_assigned_from_plan_id_fkey: plan(async (world, as, id) =>
    assign(world, as, id, await makeClient(world, as, await makeSignedIn(world.api))),
  ),

  workout_exercises_workout_id_fkey: own(
    "workouts",
    "workouts",
    (world, as) => make(world, as, "workouts", { timeZone: "UTC" }),
    (world, as, id) =>
      posting(`workouts/${id}/exercises`, () => ({
        exerciseName: "X",
        mode: "reps",
        sets: [{ reps: 5 }],
      }))(world, as, id),
  ),
  workout_sets_workout_exercise_fkey: async (world) => {
    const { as } = await makeSignedIn(world.api);
    const id = Bun.randomUUIDv7();
    const exercises = [{ id, exerciseName: "X", mode: "reps" }];
    const workout = `workouts/${await make(world, as, "workouts", { timeZone: "UTC", exercises })}/exercises/${id}`;
    return {
      create: posting(`${workout}/sets`, () => ({ reps: 5 }))(world, as, id),
      remove: () => world.api.delete(`${V1}/${workout}`, { as }),
      table: "workout_exercises",
      id,
    };
  },
};
