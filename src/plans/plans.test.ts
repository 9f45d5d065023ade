import { expect, test } from "bun:test";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { PLANS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Entry = { day: number; position: number; routineName: string };

async function makePlanFixtures(api: Api) {
  const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
  const routine = async (name: string) =>
    (await api.post("/api/v1/routines", { as: owner.as, body: { name, exercises: [] } })).json
      .id as string;
  const [legs, arms] = [await routine("Legs"), await routine("Arms")];
  const body = {
    name: "Strength",
    difficulty: "beginner",
    weeks: 8,
    routines: [
      { routineId: arms, day: 3 },
      { routineId: legs, day: 1 },
      { routineId: arms, day: 1 },
    ],
  };
  return { owner, other, legs, arms, body };
}

const schedule = (plan: { routines: Entry[] }) =>
  plan.routines.map(({ day, position, routineName }) => `${day}.${position} ${routineName}`);

test(
  "a plan puts routines on days, several on one day in order",
  withApi(async (api) => {
    const { owner, body } = await makePlanFixtures(api);
    const created = await api.post(PLANS, { as: owner.as, body });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      name: "Strength",
      difficulty: "beginner",
      weeks: 8,
      sharing: "private",
      access: "owner",
      version: 1,
    });
    expect(schedule(created.json)).toEqual(["1.1 Legs", "1.2 Arms", "3.1 Arms"]);
    expect((await api.get(`${PLANS}/${created.json.id}`, { as: owner.as })).json).toEqual(
      created.json,
    );
    expect((await api.get(`${PLANS}?searchString=STREN`, { as: owner.as })).json).toMatchObject({
      total: 1,
      items: [{ routineCount: 3 }],
    });
    expect(
      await statementsOf(() => api.get(`${PLANS}/${created.json.id}`, { as: owner.as })),
    ).toHaveLength(1);
  }),
);

test(
  "a change writes the given fields and replaces the routines; a stale version is 412",
  withApi(async (api) => {
    const { owner, legs, arms, body } = await makePlanFixtures(api);
    const { json: created } = await api.post(PLANS, { as: owner.as, body });
    const change = (patch: unknown, ifMatch = "*") =>
      api.patch(`${PLANS}/${created.id}`, {
        as: owner.as,
        body: patch,
        headers: { "if-match": ifMatch },
      });
    expect((await change({})).json).toEqual(created);
    const cleared = await change({ difficulty: null, weeks: null, name: "Power" });
    expect(cleared.json).toMatchObject({
      difficulty: null,
      weeks: null,
      name: "Power",
      version: 2,
      routines: created.routines,
    });
    const replaced = await change(
      {
        routines: [
          { routineId: arms, day: 1 },
          { routineId: legs, day: 2 },
        ],
      },
      '"2"',
    );
    expect(schedule(replaced.json)).toEqual(["1.1 Arms", "2.1 Legs"]);
    expectProblem(await change({ routines: [] }, '"2"'), 412, "plans.stale");
    expect((await change({ routines: [] })).json.routines).toEqual([]);
  }),
);

test(
  "a routine that a plan uses cannot be deleted until the plan is",
  withApi(async (api) => {
    const { owner, legs, body } = await makePlanFixtures(api);
    const { json: plan } = await api.post(PLANS, { as: owner.as, body });
    const remove = () => api.delete(`/api/v1/routines/${legs}`, { as: owner.as });
    expectProblem(
      await remove(),
      409,
      "routines.in_use",
      "The routine is used by the plan 'Strength'",
    );
    expectStatus(await api.delete(`${PLANS}/${plan.id}`, { as: owner.as }), 204);
    expectProblem(
      await api.get(`${PLANS}/${plan.id}`, { as: owner.as }),
      404,
      "plans.not_found",
      "Plan not found",
    );
    expectStatus(await remove(), 204);
  }),
);

test(
  "other users' routines, taken names and invalid days are rejected, and nothing is written",
  withApi(async (api) => {
    const { owner, other, legs, body } = await makePlanFixtures(api);
    const rejected = await api.post(PLANS, { as: other.as, body });
    expectProblem(rejected, 404, "plans.routine_not_found");
    expect(rejected.json.detail).toContain(legs);
    expect((await api.get(PLANS, { as: other.as })).json.total).toBe(0);
    expectStatus(await api.post(PLANS, { as: owner.as, body }), 201);
    expectProblem(
      await api.post(PLANS, { as: owner.as, body: { ...body, name: "STRENGTH" } }),
      409,
      "plans.name_taken",
    );
    for (const bad of [{ day: 0 }, { day: 367 }, { day: 1.5 }, { routineId: "x" }]) {
      const answer = await api.post(PLANS, {
        as: owner.as,
        body: { ...body, name: "Other", routines: [{ routineId: legs, day: 1, ...bad }] },
      });
      expectProblem(answer, 422, "invalid_request");
    }
    const tooMany = Array.from({ length: 51 }, () => ({ routineId: legs, day: 1 }));
    expectProblem(
      await api.post(PLANS, { as: owner.as, body: { name: "Crowd", routines: tooMany } }),
      422,
      "invalid_request",
    );
  }),
);

test(
  "a workout from a routine of a plan keeps the names of both after they are deleted",
  withApi(async (api) => {
    const { owner, legs, body } = await makePlanFixtures(api);
    const { json: plan } = await api.post(PLANS, { as: owner.as, body });
    const start = (planId: string, routineId: string) =>
      api.post("/api/v1/workouts", { as: owner.as, body: { planId, routineId, timeZone: "UTC" } });
    const { json: workout } = await start(plan.id, legs);
    expect(workout).toMatchObject({
      planId: plan.id,
      planName: "Strength",
      routineId: legs,
      routineName: "Legs",
    });
    await api.patch(`${PLANS}/${plan.id}`, { as: owner.as, body: { routines: [] } });
    expectProblem(await start(plan.id, legs), 404, "routines.not_found");
    await api.delete(`${PLANS}/${plan.id}`, { as: owner.as });
    const { json: after } = await api.get(`/api/v1/workouts/${workout.id}`, { as: owner.as });
    expect(after).toEqual({ ...workout, planId: null, version: workout.version + 1 });
  }),
);

test(
  "deleting an account deletes its routines, plans and workouts",
  withApi(async (api) => {
    const { owner, legs, body } = await makePlanFixtures(api);
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const { json: plan } = await api.post(PLANS, { as: owner.as, body });
    await api.post("/api/v1/workouts", {
      as: owner.as,
      body: { planId: plan.id, routineId: legs, timeZone: "UTC" },
    });
    expectStatus(await api.delete(`/api/v1/users/${owner.user.id}`, { as }), 204);
    await api.deps.db.sql`set constraints all immediate`;
    const [left] = await api.deps.db.sql`
      select (select count(*) from routines where owner_id = ${owner.user.id})
        + (select count(*) from plans where owner_id = ${owner.user.id})
        + (select count(*) from workouts where user_id = ${owner.user.id}) as count`;
    expect(Number(left?.count)).toBe(0);
  }),
);

test(
  "a copy of a public plan copies its routines under free names; a copy of an own plan reuses them",
  withApi(async (api) => {
    const { owner, other, legs, arms, body } = await makePlanFixtures(api);
    const own = await makeExercise(api, { owner: owner.user, name: "Zq Own" });
    const exercises = [{ exerciseId: own, mode: "reps", sets: 3, repsMin: 5, repsMax: 5 }];
    await api.patch(`/api/v1/routines/${legs}`, { as: owner.as, body: { exercises } });
    const { json: plan } = await api.post(PLANS, {
      as: owner.as,
      body: { ...body, sharing: "public" },
    });
    const clone = (as: string, copy = {}) =>
      api.post(`${PLANS}/${plan.id}/clone`, { as, body: copy });
    await api.post("/api/v1/routines", { as: other.as, body: { name: "ARMS", exercises: [] } });
    const copy = await clone(other.as);
    expectStatus(copy, 201);
    expect(copy.json).toMatchObject({
      name: "Strength",
      weeks: 8,
      sharing: "private",
      access: "owner",
      ownerId: other.user.id,
    });
    expect(schedule(copy.json)).toEqual(["1.1 Legs", "1.2 Arms (2)", "3.1 Arms (2)"]);
    const [first] = copy.json.routines;
    const { json: routine } = await api.get(`/api/v1/routines/${first.routineId}`, {
      as: other.as,
    });
    expect(routine).toMatchObject({ access: "owner", sharing: "private" });
    expect(routine.exercises).toMatchObject([
      { exerciseId: null, exerciseName: "Zq Own", repsMin: 5 },
    ]);
    expectProblem(await clone(other.as), 409, "plans.name_taken");
    expect(schedule((await clone(other.as, { name: "Again" })).json)).toEqual([
      "1.1 Legs (2)",
      "1.2 Arms (3)",
      "3.1 Arms (3)",
    ]);
    const ownCopy = await clone(owner.as);
    expect(ownCopy.json.name).toBe("Strength (copy)");
    expect(ownCopy.json.routines.map(({ routineId }: { routineId: string }) => routineId)).toEqual([
      legs,
      arms,
      arms,
    ]);
    await api.patch(`${PLANS}/${plan.id}`, { as: owner.as, body: { sharing: "private" } });
    expectProblem(await clone(other.as, { name: "Late" }), 404, "plans.not_found");
  }),
);
