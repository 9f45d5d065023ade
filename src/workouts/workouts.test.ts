import { expect, test } from "bun:test";
import { makeTraining } from "#test/finished-workout.ts";
import { ABSENT, makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Body = Record<string, unknown>;

test(
  "a finished workout is created in one request, with weights in kilograms and as entered",
  withApi(async (api) => {
    const { as, squat, finished } = await makeTraining(api);
    const created = await api.post(WORKOUTS, { as, body: finished });
    expectStatus(created, 201);
    expect(created.json).toMatchObject({
      name: "Morning",
      status: "completed",
      startedAt: "2026-03-01T06:00:00.000000Z",
      durationS: 4230,
      timeZone: "Europe/Berlin",
      bodyWeightKg: 81.5,
      planId: null,
      routineId: null,
      version: 1,
    });
    const [first, second, third] = created.json.exercises;
    expect(first).toMatchObject({
      position: 1,
      exerciseId: squat,
      exerciseName: "Zq Squat",
      targets: null,
    });
    expect(first.sets).toMatchObject([
      { position: 1, type: "warmup", weight: 60, weightUnit: "kg", weightKg: 60, reps: 8 },
      {
        position: 2,
        type: "working",
        weight: 225,
        weightUnit: "lb",
        weightKg: 102.0583,
        reps: 5,
        rpe: 8.5,
        completedAt: "2026-03-01T06:20:00.123456Z",
      },
    ]);
    expect(second.sets).toMatchObject([{ timeS: 60, weight: null }, { timeS: null }]);
    expect(third).toMatchObject({
      exerciseId: null,
      exerciseName: "Rope climb",
      sets: [{ distanceM: 5 }],
    });
    expect((await api.get(`${WORKOUTS}/${created.json.id}`, { as })).json).toEqual(created.json);
  }),
);

test(
  "a workout started from a routine keeps the routine's targets after the routine is deleted",
  withApi(async (api) => {
    const { as, squat } = await makeTraining(api);
    const entry = {
      exerciseId: squat,
      mode: "reps",
      sets: 5,
      repsMin: 3,
      repsMax: 5,
      weight: 100,
      weightUnit: "kg",
    };
    const { json: routine } = await api.post("/api/v1/routines", {
      as,
      body: { name: "Legs", exercises: [entry] },
    });
    const { json: created } = await api.post(WORKOUTS, {
      as,
      body: { routineId: routine.id, timeZone: "UTC" },
    });
    expect(created).toMatchObject({
      status: "in_progress",
      endedAt: null,
      durationS: null,
      routineId: routine.id,
      routineName: "Legs",
    });
    const { exerciseId: _id, mode: _mode, ...targets } = entry;
    expect(created.exercises).toMatchObject([
      { exerciseName: "Zq Squat", mode: "reps", targets, sets: [] },
    ]);
    expectStatus(await api.delete(`/api/v1/routines/${routine.id}`, { as }), 204);
    const { json: after } = await api.get(`${WORKOUTS}/${created.id}`, { as });
    expect(after).toEqual({ ...created, routineId: null, version: created.version + 1 });
  }),
);

test(
  "a workout cannot refer to a routine or exercise that the user may not see, or to a plan alone",
  withApi(async (api) => {
    const { as, plank } = await makeTraining(api);
    const other = await makeSignedIn(api);
    const { json: routine } = await api.post("/api/v1/routines", {
      as,
      body: { name: "Legs", exercises: [] },
    });
    const start = (body: Body) =>
      api.post(WORKOUTS, { as: other.as, body: { timeZone: "UTC", ...body } });
    expectProblem(await start({ routineId: routine.id }), 404, "routines.not_found");
    expectProblem(
      await start({ exercises: [{ exerciseId: plank, mode: "time" }] }),
      404,
      "workouts.exercise_not_found",
    );
    expectProblem(await start({ planId: ABSENT }), 422, "workouts.plan_without_routine");
    expect((await api.get(WORKOUTS, { as: other.as })).json.items).toEqual([]);
  }),
);

test.each<[string, Body, string]>([
  ["reps in mode time", { mode: "time", sets: [{ reps: 5 }] }, "/exercises/0/sets/0/reps"],
  ["time in mode reps", { mode: "reps", sets: [{}, { timeS: 5 }] }, "/exercises/0/sets/1/timeS"],
  [
    "a distance in mode sets_only",
    { mode: "sets_only", sets: [{ distanceM: 5 }] },
    "/exercises/0/sets/0/distanceM",
  ],
  [
    "a weight without a unit",
    { mode: "reps", sets: [{ weight: 5 }] },
    "/exercises/0/sets/0/weightUnit",
  ],
  [
    "a weight beyond 2,000",
    { mode: "reps", sets: [{ weight: 2001, weightUnit: "kg" }] },
    "/exercises/0/sets/0/weight",
  ],
  [
    "an unknown kind of set",
    { mode: "reps", sets: [{ type: "super" }] },
    "/exercises/0/sets/0/type",
  ],
  ["no exercise", { mode: "reps", exerciseName: undefined }, "/exercises/0/exerciseId"],
])("a workout with %s is rejected and nothing is written", async (_what, exercise, field) => {
  await withApi(async (api) => {
    const { as } = await makeTraining(api);
    const answer = await api.post(WORKOUTS, {
      as,
      body: { timeZone: "UTC", exercises: [{ exerciseName: "Zq", ...exercise }] },
    });
    expectProblem(answer, 422, "invalid_request");
    expect(answer.json.errors.map((error: { field: string }) => error.field)).toContain(field);
    expect((await api.get(WORKOUTS, { as })).json.items).toEqual([]);
  })();
});

test.each(["+02:00", "Mars/Olympus", "", "Europe/", "UTC; drop table workouts", "CEST2"])(
  "%p is not a valid time zone",
  async (timeZone) => {
    await withApi(async (api) => {
      const { as } = await makeTraining(api);
      expectProblem(await api.post(WORKOUTS, { as, body: { timeZone } }), 422, "invalid_request");
    })();
  },
);

test(
  "a workout of 100 sets is written in at most three statements, and read or listed in one",
  withApi(async (api) => {
    const { as, squat } = await makeTraining(api);
    const sets = Array.from({ length: 10 }, () => ({ weight: 100, weightUnit: "kg", reps: 5 }));
    const exercises = Array.from({ length: 10 }, () => ({ exerciseId: squat, mode: "reps", sets }));
    await api.get("/api/v1/access/me", { as });
    let id = "";
    const write = async () =>
      (id = (await api.post(WORKOUTS, { as, body: { timeZone: "UTC", exercises } })).json.id);
    expect((await statementsOf(write)).length).toBeLessThanOrEqual(3);
    expect(await statementsOf(() => api.get(`${WORKOUTS}/${id}`, { as }))).toHaveLength(1);
    expect(await statementsOf(() => api.get(WORKOUTS, { as }))).toHaveLength(1);
    expect(
      (await statementsOf(() => api.post(`${WORKOUTS}/${id}/finish`, { as, body: {} }))).length,
    ).toBeLessThanOrEqual(3);
  }),
);
