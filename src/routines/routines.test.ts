import { expect, test } from "bun:test";
import { ABSENT } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { makeLegDay } from "#test/leg-day.ts";
import { ROUTINES } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Body = Record<string, unknown>;

test(
  "a routine is created with its exercises in order, and read as it was written",
  withApi(async (api) => {
    const { owner, squat, own, body } = await makeLegDay(api);
    const created = await api.post(ROUTINES, { as: owner.as, body });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      name: "Leg day",
      description: "Heavy",
      sharing: "private",
      access: "owner",
      version: 1,
    });
    expect(created.json.exercises).toMatchObject([
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
    const read = await api.get(`${ROUTINES}/${created.json.id}`, { as: owner.as });
    expect(read.json).toEqual(created.json);
    const again = await api.get(`${ROUTINES}/${created.json.id}`, {
      as: owner.as,
      headers: { "if-none-match": read.headers.get("etag") ?? "" },
    });
    expectStatus(again, 304);
    const { json } = await api.get(ROUTINES, { as: owner.as });
    const { exercises: _entries, ...summary } = created.json;
    expect(json).toEqual({
      items: [{ ...summary, exerciseCount: 2 }],
      limit: 20,
      offset: 0,
      total: 1,
    });
  }),
);

test(
  "a client may choose the id of a routine, but not a taken one",
  withApi(async (api) => {
    const { owner, other, body } = await makeLegDay(api);
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
])("a routine with %s is rejected and nothing is written", async (_what, entry, field) => {
  await withApi(async (api) => {
    const { owner, squat } = await makeLegDay(api);
    const body = { name: "Bad", exercises: [{ exerciseId: squat, ...entry }] };
    const answer = await api.post(ROUTINES, { as: owner.as, body });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect((await api.get(ROUTINES, { as: owner.as })).json.total).toBe(0);
  })();
});

test(
  "the error names exercises that are unknown or another user's, and nothing is written",
  withApi(async (api) => {
    const { other, own } = await makeLegDay(api);
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
  "a routine of 100 exercises is written in at most three statements and read in one",
  withApi(async (api) => {
    const { owner, squat } = await makeLegDay(api);
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
