import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { ROUTINES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Body = Record<string, unknown>;

async function world(api: Api) {
  const [owner, other] = [await makeSignedIn(api), await makeSignedIn(api)];
  const squat = await makeExercise(api, { name: "Zq Squat" });
  const own = await makeExercise(api, { owner: owner.user, name: "Zq Own Press" });
  const body = {
    name: "  Leg   day ",
    description: "Heavy",
    exercises: [
      {
        exerciseId: squat,
        mode: "reps",
        sets: 5,
        repsMin: 3,
        repsMax: 5,
        weight: 102.5,
        weightUnit: "kg",
        rpe: 8.5,
        restS: 180,
        tempo: "30X1",
      },
      { exerciseId: own, mode: "time", sets: 3, timeS: 45, supersetGroup: 1, notes: "Slow" },
    ],
  };
  return { owner, other, squat, own, body };
}

test(
  "a routine is created with its exercises in their order, and read as it was written",
  withApi(async (api) => {
    const { owner, squat, own, body } = await world(api);
    const made = await api.post(ROUTINES, { as: owner.as, body });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({
      name: "Leg day",
      description: "Heavy",
      sharing: "private",
      access: "owner",
      version: 1,
    });
    expect(made.json.exercises).toMatchObject([
      {
        position: 1,
        exerciseId: squat,
        exerciseName: "Zq Squat",
        mode: "reps",
        sets: 5,
        repsMin: 3,
        repsMax: 5,
        weight: 102.5,
        weightUnit: "kg",
        rpe: 8.5,
        rir: null,
        restS: 180,
        tempo: "30X1",
      },
      {
        position: 2,
        exerciseId: own,
        exerciseName: "Zq Own Press",
        mode: "time",
        timeS: 45,
        repsMin: null,
        supersetGroup: 1,
        notes: "Slow",
      },
    ]);
    const read = await api.get(`${ROUTINES}/${made.json.id}`, { as: owner.as });
    expect(read.json).toEqual(made.json);
    const again = await api.get(`${ROUTINES}/${made.json.id}`, {
      as: owner.as,
      headers: { "if-none-match": read.headers.get("etag") ?? "" },
    });
    expectStatus(again, 304);
    const { json } = await api.get(ROUTINES, { as: owner.as });
    const { exercises: _entries, ...summary } = made.json;
    expect(json).toEqual({
      items: [{ ...summary, exerciseCount: 2 }],
      limit: 20,
      offset: 0,
      total: 1,
    });
  }),
);

test(
  "a client may choose the id of a routine, once",
  withApi(async (api) => {
    const { owner, other, body } = await world(api);
    const id = Bun.randomUUIDv7();
    expect((await api.post(ROUTINES, { as: owner.as, body: { ...body, id } })).json.id).toBe(id);
    const again = { name: "Other", id, exercises: [] };
    expectProblem(
      await api.post(ROUTINES, { as: other.as, body: again }),
      409,
      "routines.id_taken",
    );
  }),
);

test.each<[string, Body, string]>([
  ["time in mode reps", { mode: "reps", sets: 3, timeS: 30 }, "/exercises/0/timeS"],
  ["reps in mode time", { mode: "time", sets: 3, repsMin: 3, repsMax: 5 }, "/exercises/0/repsMin"],
  [
    "distance in mode sets_only",
    { mode: "sets_only", sets: 3, distanceM: 100 },
    "/exercises/0/distanceM",
  ],
  [
    "fewer reps at most than at least",
    { mode: "reps", sets: 3, repsMin: 5, repsMax: 3 },
    "/exercises/0/repsMax",
  ],
  ["reps at least without at most", { mode: "reps", sets: 3, repsMin: 5 }, "/exercises/0/repsMax"],
  ["a weight without a unit", { mode: "reps", sets: 3, weight: 20 }, "/exercises/0/weightUnit"],
  ["both RPE and RIR", { mode: "reps", sets: 3, rpe: 8, rir: 2 }, "/exercises/0/rir"],
  ["no sets", { mode: "reps", sets: 0 }, "/exercises/0/sets"],
  [
    "a weight below zero",
    { mode: "reps", sets: 1, weight: -1, weightUnit: "kg" },
    "/exercises/0/weight",
  ],
  ["an RPE between halves", { mode: "reps", sets: 1, rpe: 8.3 }, "/exercises/0/rpe"],
  ["a tempo of words", { mode: "reps", sets: 1, tempo: "slow" }, "/exercises/0/tempo"],
  ["an unknown mode", { mode: "laps", sets: 1 }, "/exercises/0/mode"],
  [
    "no exercise and no name",
    { mode: "reps", sets: 1, exerciseId: null },
    "/exercises/0/exerciseId",
  ],
])("a routine with %s is refused, and nothing is written", async (_what, entry, field) => {
  await withApi(async (api) => {
    const { owner, squat } = await world(api);
    const body = { name: "Bad", exercises: [{ exerciseId: squat, ...entry }] };
    const answer = await api.post(ROUTINES, { as: owner.as, body });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect((await api.get(ROUTINES, { as: owner.as })).json.total).toBe(0);
  })();
});

test(
  "an exercise that is not there, or somebody else's, is named, and nothing is written",
  withApi(async (api) => {
    const { other, own } = await world(api);
    const entry = { mode: "reps", sets: 3 };
    for (const exerciseId of [own, ABSENT]) {
      const body = { name: "Theirs", exercises: [{ ...entry, exerciseId }] };
      const answer = await api.post(ROUTINES, { as: other.as, body });
      expectProblem(
        answer,
        404,
        "routines.exercise_not_found",
        `Exercises not found: [${exerciseId}]`,
      );
    }
    expect((await api.get(ROUTINES, { as: other.as })).json.total).toBe(0);
  }),
);

test(
  "a name is taken once in an account, whatever its case",
  withApi(async (api) => {
    const { owner, other, body } = await world(api);
    const { json } = await api.post(ROUTINES, { as: owner.as, body });
    const taken = await api.post(ROUTINES, {
      as: owner.as,
      body: { name: "LEG DAY", exercises: [] },
    });
    expectProblem(
      taken,
      409,
      "routines.name_taken",
      "You already have a routine with the name 'LEG DAY'",
    );
    expectStatus(
      await api.post(ROUTINES, { as: other.as, body: { name: "Leg day", exercises: [] } }),
      201,
    );
    const second = await api.post(ROUTINES, {
      as: owner.as,
      body: { name: "Arms", exercises: [] },
    });
    expectProblem(
      await api.patch(`${ROUTINES}/${second.json.id}`, { as: owner.as, body: { name: "leg day" } }),
      409,
      "routines.name_taken",
    );
    expectStatus(
      await api.patch(`${ROUTINES}/${json.id}`, { as: owner.as, body: { name: "Leg Day" } }),
      200,
    );
  }),
);

test(
  "a change writes what is given; exercises that are given replace all, in their order; an old version is 412",
  withApi(async (api) => {
    const { owner, squat, body } = await world(api);
    const { json: made } = await api.post(ROUTINES, { as: owner.as, body });
    const change = (patch: Body, ifMatch?: string) =>
      api.patch(`${ROUTINES}/${made.id}`, {
        as: owner.as,
        body: patch,
        ...(ifMatch ? { headers: { "if-match": ifMatch } } : {}),
      });
    expect((await change({})).json).toEqual(made);
    const renamed = await change({ name: "Legs", description: null });
    expect(renamed.json).toMatchObject({
      name: "Legs",
      description: null,
      version: 2,
      exercises: made.exercises,
    });
    const [first, second] = made.exercises;
    const swapped = await change(
      { exercises: [second, first].map(({ id: _id, position: _position, ...entry }) => entry) },
      '"2"',
    );
    expectStatus(swapped, 200);
    expect(
      swapped.json.exercises.map(({ exerciseName }: { exerciseName: string }) => exerciseName),
    ).toEqual(["Zq Own Press", "Zq Squat"]);
    expectProblem(await change({ name: "Late" }, '"2"'), 412, "routines.stale");
    const shorter = await change({
      exercises: [{ exerciseId: squat, mode: "sets_only", sets: 1 }],
    });
    expect(shorter.json.exercises).toMatchObject([
      { position: 1, mode: "sets_only", sets: 1, timeS: null, notes: null },
    ]);
    expect((await change({ exercises: [] })).json.exercises).toEqual([]);
  }),
);

test(
  "deleting an exercise leaves its name in the routine",
  withApi(async (api) => {
    const { owner, own, body } = await world(api);
    const { json: made } = await api.post(ROUTINES, { as: owner.as, body });
    expectStatus(await api.delete(`/api/v1/exercises/${own}`, { as: owner.as }), 204);
    const { json } = await api.get(`${ROUTINES}/${made.id}`, { as: owner.as });
    expect(json.exercises[1]).toMatchObject({
      exerciseId: null,
      exerciseName: "Zq Own Press",
      timeS: 45,
    });
    const entries = json.exercises.map(({ id: _id, position: _position, ...entry }: Body) => entry);
    const replaced = await api.patch(`${ROUTINES}/${made.id}`, {
      as: owner.as,
      body: { exercises: entries },
    });
    expect(replaced.json.exercises[1]).toMatchObject({
      exerciseId: null,
      exerciseName: "Zq Own Press",
    });
  }),
);

test(
  "a private routine is not there for others; a public one they read and copy, and never change",
  withApi(async (api) => {
    const { owner, other, body } = await world(api);
    const { json: made } = await api.post(ROUTINES, { as: owner.as, body });
    const url = `${ROUTINES}/${made.id}`;
    expectProblem(
      await api.get(url, { as: other.as }),
      404,
      "routines.not_found",
      "Routine not found",
    );
    expectProblem(
      await api.post(`${url}/clone`, { as: other.as, body: {} }),
      404,
      "routines.not_found",
    );
    await api.patch(url, { as: owner.as, body: { sharing: "public" } });
    expect((await api.get(url, { as: other.as })).json).toMatchObject({
      access: "read",
      ownerId: owner.user.id,
    });
    expect(
      (await api.get(`${ROUTINES}?scope=public&searchString=LEG`, { as: other.as })).json.total,
    ).toBe(1);
    expect((await api.get(ROUTINES, { as: other.as })).json.total).toBe(0);
    expectProblem(
      await api.patch(url, { as: other.as, body: { name: "Mine" } }),
      404,
      "routines.not_found",
    );
    expectProblem(await api.delete(url, { as: other.as }), 404, "routines.not_found");
    const copy = await api.post(`${url}/clone`, { as: other.as, body: {} });
    expectStatus(copy, 201);
    // The owner's own exercise is theirs: its name comes along, it does not.
    expect(copy.json).toMatchObject({
      name: "Leg day",
      access: "owner",
      sharing: "private",
      ownerId: other.user.id,
    });
    expect(copy.json.exercises).toMatchObject([
      { exerciseName: "Zq Squat", exerciseId: expect.any(String) },
      { exerciseName: "Zq Own Press", exerciseId: null },
    ]);
    const twice = await api.post(`${url}/clone`, { as: owner.as, body: {} });
    expect(twice.json.name).toBe("Leg day (copy)");
  }),
);

test(
  "a routine of 100 exercises is written in at most three statements and read in one",
  withApi(async (api) => {
    const { owner, squat } = await world(api);
    const exercises = Array.from({ length: 100 }, () => ({
      exerciseId: squat,
      mode: "reps",
      sets: 3,
      repsMin: 8,
      repsMax: 12,
    }));
    let id = "";
    const create = async () =>
      (id = (await api.post(ROUTINES, { as: owner.as, body: { name: "Long", exercises } })).json
        .id);
    await api.get("/api/v1/access/me", { as: owner.as });
    expect((await statementsOf(create)).length).toBeLessThanOrEqual(3);
    expect(await statementsOf(() => api.get(`${ROUTINES}/${id}`, { as: owner.as }))).toHaveLength(
      1,
    );
    expect(
      (
        await statementsOf(() =>
          api.patch(`${ROUTINES}/${id}`, { as: owner.as, body: { exercises } }),
        )
      ).length,
    ).toBeLessThanOrEqual(3);
    expect(await statementsOf(() => api.get(ROUTINES, { as: owner.as }))).toHaveLength(1);
    expectProblem(
      await api.post(ROUTINES, {
        as: owner.as,
        body: { name: "Longer", exercises: [...exercises, exercises[0]] },
      }),
      422,
      "invalid_request",
    );
  }),
);
