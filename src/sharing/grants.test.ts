import { expect, test } from "bun:test";
import { ABSENT, makeSignedIn, makeUser } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { GRANTS, ROUTINES } from "#test/paths.ts";

async function makeFixture(api: Api) {
  const [owner, friend, other] = [
    await makeSignedIn(api),
    await makeSignedIn(api),
    await makeSignedIn(api),
  ];
  const { json: routine } = await api.post(ROUTINES, {
    as: owner.as,
    body: { name: "Legs", exercises: [] },
  });
  const share = (body: object, as = owner.as) =>
    api.post(GRANTS, { as, body: { email: friend.user.email, access: "read", ...body } });
  return { owner, friend, other, routine, share };
}

test(
  "a grantee can read or write a routine from the next request on, until the grant ends",
  withApi(async (api) => {
    const { owner, friend, other, routine, share } = await makeFixture(api);
    const url = `${ROUTINES}/${routine.id}`;
    expectProblem(await api.get(url, { as: friend.as }), 404, "routines.not_found");
    const grant = await share({ routineId: routine.id });
    expectStatus(grant, 201);
    expect(grant.json).toMatchObject({
      routineId: routine.id,
      planId: null,
      name: "Legs",
      access: "read",
      grantee: { email: friend.user.email },
    });
    expect((await api.get(url, { as: friend.as })).json).toMatchObject({
      access: "read",
      sharing: "shared",
    });
    expect((await api.get(`${ROUTINES}?scope=shared`, { as: friend.as })).json.total).toBe(1);
    expectProblem(await api.get(url, { as: other.as }), 404, "routines.not_found");
    const rename = (as: string) => api.patch(url, { as, body: { name: "Heavy legs" } });
    expectProblem(await rename(friend.as), 404, "routines.not_found");
    expect(
      (await api.patch(`${GRANTS}/${grant.json.id}`, { as: owner.as, body: { access: "write" } }))
        .json.access,
    ).toBe("write");
    expect((await rename(friend.as)).json).toMatchObject({
      name: "Heavy legs",
      access: "write",
      ownerId: owner.user.id,
    });
    // Write access does not include sharing and deleting.
    expectProblem(
      await api.patch(url, { as: friend.as, body: { sharing: "public" } }),
      403,
      "routines.not_owner",
    );
    expectProblem(await api.delete(url, { as: friend.as }), 404, "routines.not_found");
    // Only the owner sees a private routine; a grant makes no difference.
    await api.patch(url, { as: owner.as, body: { sharing: "private" } });
    expectProblem(await api.get(url, { as: friend.as }), 404, "routines.not_found");
    expectProblem(await rename(friend.as), 404, "routines.not_found");
    await api.patch(url, { as: owner.as, body: { sharing: "shared" } });
    expectStatus(await api.get(url, { as: friend.as }), 200);
    expectStatus(await api.delete(`${GRANTS}/${grant.json.id}`, { as: owner.as }), 204);
    expectProblem(await api.get(url, { as: friend.as }), 404, "routines.not_found");
  }),
);

test(
  "a grantee of a plan can also read its routines and start workouts from them, and nothing else of the owner",
  withApi(async (api) => {
    const { owner, friend, routine, share } = await makeFixture(api);
    const { json: unrelated } = await api.post(ROUTINES, {
      as: owner.as,
      body: { name: "Unrelated", exercises: [] },
    });
    const body = { name: "Plan", routines: [{ routineId: routine.id, day: 1 }] };
    const { json: plan } = await api.post("/api/v1/plans", { as: owner.as, body });
    const { json: grant } = await share({ planId: plan.id, access: "write" });
    expect((await api.get(`/api/v1/plans/${plan.id}`, { as: friend.as })).json).toMatchObject({
      access: "write",
    });
    expect((await api.get("/api/v1/plans?scope=shared", { as: friend.as })).json.total).toBe(1);
    expect((await api.get(`${ROUTINES}/${routine.id}`, { as: friend.as })).json.access).toBe(
      "read",
    );
    expectProblem(
      await api.get(`${ROUTINES}/${unrelated.id}`, { as: friend.as }),
      404,
      "routines.not_found",
    );
    const startWorkout = () =>
      api.post("/api/v1/workouts", {
        as: friend.as,
        body: { planId: plan.id, routineId: routine.id, timeZone: "UTC" },
      });
    const workout = await startWorkout();
    expectStatus(workout, 201);
    expectProblem(
      await api.get(`/api/v1/workouts/${workout.json.id}`, { as: owner.as }),
      404,
      "workouts.not_found",
    );
    const friendsRoutine = await api.post(ROUTINES, {
      as: friend.as,
      body: { name: "Mine", exercises: [] },
    });
    const withFriendsRoutine = { routines: [{ routineId: friendsRoutine.json.id, day: 1 }] };
    expectProblem(
      await api.patch(`/api/v1/plans/${plan.id}`, { as: friend.as, body: withFriendsRoutine }),
      404,
      "plans.routine_not_found",
    );
    expectProblem(
      await api.patch(`/api/v1/plans/${plan.id}`, { as: friend.as, body: { sharing: "public" } }),
      403,
      "plans.not_owner",
    );
    expectProblem(
      await api.delete(`/api/v1/plans/${plan.id}`, { as: friend.as }),
      404,
      "plans.not_found",
    );
    // The grantee can end the grant.
    expectStatus(await api.delete(`${GRANTS}/${grant.id}`, { as: friend.as }), 204);
    expectProblem(
      await api.get(`${ROUTINES}/${routine.id}`, { as: friend.as }),
      404,
      "routines.not_found",
    );
    expectProblem(await startWorkout(), 404, "routines.not_found");
    expectStatus(await api.get(`/api/v1/workouts/${workout.json.id}`, { as: friend.as }), 200);
  }),
);

test(
  "grants are listed for the owner and the grantee, and are invisible to others",
  withApi(async (api) => {
    const { owner, friend, other, routine, share } = await makeFixture(api);
    const { json: grant } = await share({ routineId: routine.id });
    const listed = async (as: string, direction: string) =>
      (await api.get(`${GRANTS}?direction=${direction}`, { as })).json;
    expect([await listed(owner.as, "given"), await listed(owner.as, "received")]).toEqual([
      [grant],
      [],
    ]);
    expect([await listed(friend.as, "given"), await listed(friend.as, "received")]).toEqual([
      [],
      [grant],
    ]);
    expectProblem(
      await api.delete(`${GRANTS}/${grant.id}`, { as: other.as }),
      404,
      "grants.not_found",
    );
    const raise = (as: string) =>
      api.patch(`${GRANTS}/${grant.id}`, { as, body: { access: "write" } });
    expectProblem(await raise(other.as), 404, "grants.not_found");
    expectProblem(await raise(friend.as), 404, "grants.not_found");
  }),
);

test(
  "a grant needs one own routine or plan and another active account, and a refused grant shares nothing",
  withApi(async (api) => {
    const { owner, friend, other, routine, share } = await makeFixture(api);
    const inactive = await makeUser(api, { isActive: false });
    const sharing = async () =>
      (await api.get(`${ROUTINES}/${routine.id}`, { as: owner.as })).json.sharing;
    expectProblem(await share({}), 422, "grants.ambiguous_subject");
    expectProblem(
      await share({ routineId: routine.id, planId: ABSENT }),
      422,
      "grants.ambiguous_subject",
    );
    expectProblem(
      await share({ routineId: routine.id, email: owner.user.email.toUpperCase() }),
      422,
      "grants.oneself",
    );
    expectProblem(await share({ routineId: routine.id }, other.as), 404, "routines.not_found");
    expectProblem(await share({ planId: ABSENT }), 404, "plans.not_found");
    for (const email of ["nobody@example.com", inactive.email]) {
      expectProblem(await share({ routineId: routine.id, email }), 404, "users.not_found");
    }
    expectProblem(await share({ routineId: routine.id, access: "own" }), 422, "invalid_request");
    expect(await sharing()).toBe("private");
    expectStatus(await share({ routineId: routine.id }), 201);
    expectProblem(await share({ routineId: routine.id, access: "write" }), 409, "grants.exists");
    expect((await api.get(`${ROUTINES}/${routine.id}`, { as: friend.as })).json.access).toBe(
      "read",
    );
  }),
);
