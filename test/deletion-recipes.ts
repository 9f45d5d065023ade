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
} from "./deletion-races.ts";
import { makeExercise, makeSignedIn } from "./fixtures.ts";
import { expectStatus } from "./harness.ts";
import { API } from "./paths.ts";

const syncItem = (kind: string, state: object) => ({
  changes: [{ kind, id: Bun.randomUUIDv7(), baseVersion: null, state }],
});

/** Deletions during requests that write several foreign keys at once. */
export const DELETION_RECIPES: Record<string, Recipe> = {
  "a routine is cloned and deleted": routine(
    (fixtures, as, id) => () =>
      fixtures.api.post(`${API}/routines/${id}/clone`, { as, body: { name: fresh() } }),
  ),
  "a routine is cloned and its exercise deleted": exercise(async (fixtures, as, exerciseId) => {
    const id = await makeRoutine(fixtures, as, [{ exerciseId, ...ENTRY }]);
    return () => fixtures.api.post(`${API}/routines/${id}/clone`, { as, body: { name: fresh() } });
  }),
  "a plan is cloned and deleted": plan(
    (fixtures, as, id) => () =>
      fixtures.api.post(`${API}/plans/${id}/clone`, { as, body: { name: fresh() } }),
  ),
  "a workout is started from a routine and its exercise deleted": exercise(
    async (fixtures, as, exerciseId) => {
      const routineId = await makeRoutine(fixtures, as, [{ exerciseId, ...ENTRY }]);
      return posting("workouts", () => ({ timeZone: "UTC", routineId }))(fixtures, as, exerciseId);
    },
  ),
  "a plan is assigned and the client deleted": user(async (fixtures, client) => {
    const { as } = await makeSignedIn(fixtures.api, { roleSlug: "fitness-trainer" });
    const routines = [{ routineId: await makeRoutine(fixtures, as), day: 1 }];
    return assign(
      fixtures,
      as,
      await makePlan(fixtures, as, routines),
      await makeClient(fixtures, as, client),
    );
  }),
  "a shared routine is changed and its owner deleted": user(async (fixtures, { as }) => {
    const friend = await makeSignedIn(fixtures.api);
    const routineId = await makeRoutine(fixtures, as);
    await make(fixtures, as, "grants", { routineId, email: friend.user.email, access: "write" });
    const body = { exercises: [{ exerciseName: "X", ...ENTRY }] };
    return () => fixtures.api.patch(`${API}/routines/${routineId}`, { as: friend.as, body });
  }),
  "an archive is imported and its account deleted": user(async (fixtures, { as }) => {
    const { api } = fixtures;
    const other = await makeSignedIn(api);
    const exerciseId = await makeExercise(api, { owner: other.user, name: fresh() });
    await makeRoutine(fixtures, other.as, [{ exerciseId, ...ENTRY }]);
    const { bytes: zip } = await api.get(`${API}/archive`, { as: other.as });
    return () =>
      api.post(`${API}/archive`, { as, body: zip, headers: { "content-type": "application/zip" } });
  }),
  "a file is imported and its exercise deleted": exercise(async (fixtures, as, exerciseId) => {
    const names = [{ name: "Zq Press", exerciseId }];
    expectStatus(await fixtures.api.patch(`${API}/imports/names`, { as, body: { names } }), 200);
    return () => sendFile(fixtures, as);
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
