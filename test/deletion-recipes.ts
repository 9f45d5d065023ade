import {
  assign,
  ENTRY,
  exercise,
  fresh,
  make,
  makeClient,
  makePlan,
  makeRoutine,
  plan,
  posting,
  type Recipe,
  routine,
  sendFile,
  user,
  userPosts,
  V1,
} from "./deletion-races.ts";
import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { expectStatus } from "./harness.ts";

const syncItem = (kind: string, state: object) => ({
  changes: [{ kind, id: Bun.randomUUIDv7(), baseVersion: null, state }],
});

/** The same for requests that write several keys at once. */
export const DELETION_RECIPES: Record<string, Recipe> = {
  "a routine is cloned and deleted": routine(
    (world, as, id) => () =>
      world.api.post(`${V1}/routines/${id}/clone`, { as, body: { name: fresh() } }),
  ),
  "a routine is cloned and its exercise deleted": exercise(async (world, as, exerciseId) => {
    const id = await makeRoutine(world, as, [{ exerciseId, ...ENTRY }]);
    return () => world.api.post(`${V1}/routines/${id}/clone`, { as, body: { name: fresh() } });
  }),
  "a plan is cloned and deleted": plan(
    (world, as, id) => () =>
      world.api.post(`${V1}/plans/${id}/clone`, { as, body: { name: fresh() } }),
  ),
  "a workout is started from a routine and its exercise deleted": exercise(
    async (world, as, exerciseId) => {
      const routineId = await makeRoutine(world, as, [{ exerciseId, ...ENTRY }]);
      return posting("workouts", () => ({ timeZone: "UTC", routineId }))(world, as, exerciseId);
    },
  ),
  "a plan is assigned and the client deleted": user(async (world, client) => {
    const { as } = await makeSignedIn(world.api, { roleSlug: "fitness-trainer" });
    const routines = [{ routineId: await makeRoutine(world, as), day: 1 }];
    return assign(
      world,
      as,
      await makePlan(world, as, routines),
      await makeClient(world, as, client),
    );
  }),
  "a shared routine is changed and its owner deleted": user(async (world, { as }) => {
    const friend = await makeSignedIn(world.api);
    const routineId = await makeRoutine(world, as);
    await make(world, as, "grants", { routineId, email: friend.user.email, access: "write" });
    const body = { exercises: [{ exerciseName: "X", ...ENTRY }] };
    return () => world.api.patch(`${V1}/routines/${routineId}`, { as: friend.as, body });
  }),
  "an archive is imported and its account deleted": user(async (world, { as }) => {
    const { api } = world;
    const other = await makeSignedIn(api);
    const exerciseId = await makeExercise(api, { owner: other.user, name: fresh() });
    await makeRoutine(world, other.as, [{ exerciseId, ...ENTRY }]);
    const { bytes: zip } = await api.get(`${V1}/archive`, { as: other.as });
    return () =>
      api.post(`${V1}/archive`, { as, body: zip, headers: { "content-type": "application/zip" } });
  }),
  "a file is imported and its exercise deleted": exercise(async (world, as, exerciseId) => {
    const names = [{ name: "Zq Press", exerciseId }];
    expectStatus(await world.api.patch(`${V1}/imports/names`, { as, body: { names } }), 200);
    return () => sendFile(world, as);
  }),
  "a batch is sent and its account deleted": userPosts("sync", () =>
    syncItem("routine", { name: fresh(), exercises: [] }),
  ),
  "a batch is sent and its exercise deleted": exercise(
    posting("sync", (exerciseId) =>
      syncItem("routine", { name: fresh(), exercises: [{ exerciseId, ...ENTRY }] }),
    ),
  ),
  "a batch is sent and its routine deleted": routine(
    posting("sync", (routineId) =>
      syncItem("plan", { name: fresh(), routines: [{ routineId, day: 1 }] }),
    ),
  ),
};
