import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Body = Record<string, unknown>;

async function world(api: Api) {
  const { user, as } = await makeSignedIn(api);
  const squat = await makeExercise(api, { name: "Zq Squat" });
  const plank = await makeExercise(api, { owner: user, name: "Zq Plank" });
  const whole = {
    name: "Morning",
    startedAt: "2026-03-01T06:00:00Z",
    endedAt: "2026-03-01T07:10:30Z",
    timeZone: "Europe/Berlin",
    bodyWeightKg: 81.5,
    exercises: [
      {
        exerciseId: squat,
        mode: "reps",
        sets: [
          { type: "warmup", weight: 60, weightUnit: "kg", reps: 8 },
          {
            weight: 225,
            weightUnit: "lb",
            reps: 5,
            rpe: 8.5,
            completedAt: "2026-03-01T06:20:00.123456+00:00",
          },
        ],
      },
      { exerciseId: plank, mode: "time", sets: [{ timeS: 60 }, {}] },
      { exerciseName: "Rope climb", mode: "distance", sets: [{ distanceM: 5 }] },
    ],
  };
  return { user, as, squat, plank, whole };
}

test(
  "a whole workout is written in one request, in kilograms and as entered, and read as it was written",
  withApi(async (api) => {
    const { as, squat, whole } = await world(api);
    const made = await api.post(WORKOUTS, { as, body: whole });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({
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
    const [first, second, third] = made.json.exercises;
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
    expect((await api.get(`${WORKOUTS}/${made.json.id}`, { as })).json).toEqual(made.json);
  }),
);

test(
  "a workout starts from a routine, with its targets as they were, whatever becomes of it",
  withApi(async (api) => {
    const { as, squat } = await world(api);
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
    const { json: made } = await api.post(WORKOUTS, {
      as,
      body: { routineId: routine.id, timeZone: "UTC" },
    });
    expect(made).toMatchObject({
      status: "in_progress",
      endedAt: null,
      durationS: null,
      routineId: routine.id,
      routineName: "Legs",
    });
    const { exerciseId: _id, mode: _mode, ...targets } = entry;
    expect(made.exercises).toMatchObject([
      { exerciseName: "Zq Squat", mode: "reps", targets, sets: [] },
    ]);
    expectStatus(await api.delete(`/api/v1/routines/${routine.id}`, { as }), 204);
    const { json: after } = await api.get(`${WORKOUTS}/${made.id}`, { as });
    expect(after).toEqual({ ...made, routineId: null, version: made.version + 1 });
  }),
);

test(
  "a routine, an exercise or a plan that is not the asker's to see starts no workout",
  withApi(async (api) => {
    const { as, plank } = await world(api);
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
])("a workout with %s is refused, and nothing is written", async (_what, exercise, field) => {
  await withApi(async (api) => {
    const { as } = await world(api);
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
  "%p is no time zone",
  async (timeZone) => {
    await withApi(async (api) => {
      const { as } = await world(api);
      expectProblem(await api.post(WORKOUTS, { as, body: { timeZone } }), 422, "invalid_request");
    })();
  },
);

test(
  "a workout does not end before it starts, neither when it is written nor when it is finished",
  withApi(async (api) => {
    const { as, whole } = await world(api);
    const backwards = { ...whole, endedAt: "2026-03-01T05:00:00Z" };
    expectProblem(
      await api.post(WORKOUTS, { as, body: backwards }),
      422,
      "workouts.ends_before_start",
    );
    const { json } = await api.post(WORKOUTS, { as, body: { timeZone: "UTC" } });
    const finish = (body: Body) => api.post(`${WORKOUTS}/${json.id}/finish`, { as, body });
    expectProblem(
      await finish({ endedAt: "2020-01-01T00:00:00Z" }),
      422,
      "workouts.ends_before_start",
    );
    expectStatus(await finish({}), 200);
  }),
);

test(
  "a workout is in progress, then completed or aborted, and can be taken up again; each step once",
  withApi(async (api) => {
    const { as } = await world(api);
    const { json } = await api.post(WORKOUTS, {
      as,
      body: { timeZone: "UTC", startedAt: "2026-03-01T06:00:00Z" },
    });
    const act = (verb: string, body: Body = {}) =>
      api.post(`${WORKOUTS}/${json.id}/${verb}`, { as, body });
    expectProblem(await act("reopen"), 409, "workouts.in_progress");
    expectProblem(
      await api.patch(`${WORKOUTS}/${json.id}`, { as, body: { endedAt: "2026-03-01T07:00:00Z" } }),
      409,
      "workouts.in_progress",
    );
    const finished = await act("finish", { endedAt: "2026-03-01T07:00:00Z" });
    expect(finished.json).toMatchObject({ status: "completed", durationS: 3600, version: 2 });
    expectProblem(await act("finish"), 409, "workouts.not_in_progress");
    expectProblem(await act("abort"), 409, "workouts.not_in_progress");
    expect((await act("reopen")).json).toMatchObject({
      status: "in_progress",
      endedAt: null,
      durationS: null,
    });
    expect((await act("abort", { endedAt: "2026-03-01T06:30:00Z" })).json).toMatchObject({
      status: "aborted",
      durationS: 1800,
    });
    const changed = await api.patch(`${WORKOUTS}/${json.id}`, {
      as,
      body: { name: "Evening", notes: null, bodyWeightKg: 80, endedAt: "2026-03-01T06:40:00Z" },
    });
    expect(changed.json).toMatchObject({
      name: "Evening",
      notes: null,
      bodyWeightKg: 80,
      durationS: 2400,
    });
  }),
);

test(
  "workouts are listed by cursor, the latest first, none twice and none left out, and filtered",
  withApi(async (api) => {
    const { as, squat, whole } = await world(api);
    const ids: string[] = [];
    for (let day = 1; day <= 7; day++) {
      // Two of them start at the same moment.
      const startedAt = `2026-03-0${Math.min(day, 6)}T06:00:00.000001Z`;
      const body = {
        ...whole,
        startedAt,
        endedAt: "2026-03-08T00:00:00Z",
        ...(day % 2 ? {} : { exercises: [] }),
      };
      ids.push((await api.post(WORKOUTS, { as, body })).json.id);
    }
    const seen: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.get(`${WORKOUTS}?pageSize=2${cursor ? `&cursor=${cursor}` : ""}`, {
        as,
      });
      expectStatus(page, 200);
      seen.push(...page.json.items.map(({ id }: { id: string }) => id));
      cursor = page.json.nextCursor;
    } while (cursor);
    expect(seen).toEqual(ids.toReversed());
    const listed = async (query: string) =>
      (await api.get(`${WORKOUTS}?${query}`, { as })).json.items;
    expect(await listed(`exerciseId=${squat}`)).toHaveLength(4);
    expect(
      (await listed("from=2026-03-02T00:00:00Z&to=2026-03-04T00:00:00Z")).map(
        ({ id }: { id: string }) => id,
      ),
    ).toEqual([ids[2], ids[1]]);
    expect((await listed("pageSize=1"))[0]).toMatchObject({ exerciseCount: 3, setCount: 5 });
    for (const query of [
      "cursor=nonsense",
      "pageSize=0",
      "from=yesterday",
      "exerciseId=1",
      "cursor=",
    ]) {
      expectProblem(await api.get(`${WORKOUTS}?${query}`, { as }), 422, "invalid_request");
    }
  }),
);

test(
  "what is deleted is in the trash only, until it is restored as it was",
  withApi(async (api) => {
    const { as, whole } = await world(api);
    const { json: made } = await api.post(WORKOUTS, { as, body: whole });
    expectStatus(await api.delete(`${WORKOUTS}/${made.id}`, { as }), 204);
    expect((await api.get(WORKOUTS, { as })).json.items).toEqual([]);
    expect((await api.get(`${WORKOUTS}/trash`, { as })).json).toMatchObject([
      { id: made.id, setCount: 5 },
    ]);
    expectProblem(await api.get(`${WORKOUTS}/${made.id}`, { as }), 404, "workouts.not_found");
    expectProblem(await api.delete(`${WORKOUTS}/${made.id}`, { as }), 404, "workouts.not_found");
    expectProblem(
      await api.patch(`${WORKOUTS}/${made.id}`, { as, body: { name: "No" } }),
      404,
      "workouts.not_found",
    );
    const restored = await api.post(`${WORKOUTS}/${made.id}/restore`, { as, body: {} });
    expect(restored.json.exercises).toEqual(made.exercises);
    expectProblem(
      await api.post(`${WORKOUTS}/${made.id}/restore`, { as, body: {} }),
      404,
      "workouts.not_found",
    );
    expect((await api.get(`${WORKOUTS}/trash`, { as })).json).toEqual([]);
  }),
);

test(
  "the calendar counts a workout on the day on which it was where it was",
  withApi(async (api) => {
    const { as, whole } = await world(api);
    const at = (startedAt: string, timeZone: string) =>
      api.post(WORKOUTS, {
        as,
        body: { ...whole, startedAt, endedAt: startedAt.replace(":00:00Z", ":30:00Z"), timeZone },
      });
    await at("2026-03-01T23:00:00Z", "Europe/Berlin");
    await at("2026-03-02T02:00:00Z", "America/New_York");
    await at("2026-03-02T03:00:00Z", "America/New_York");
    const days = async (from: string, to: string) =>
      (await api.get(`${WORKOUTS}/calendar?from=${from}&to=${to}`, { as })).json;
    expect(await days("2026-03-01", "2026-03-02")).toEqual([
      { day: "2026-03-01", workoutCount: 2, setCount: 10, durationS: 3600 },
      { day: "2026-03-02", workoutCount: 1, setCount: 5, durationS: 1800 },
    ]);
    expect(await days("2026-03-02", "2026-03-02")).toHaveLength(1);
    expectProblem(
      await api.get(`${WORKOUTS}/calendar?from=2026-02-31&to=x`, { as }),
      422,
      "invalid_request",
    );
  }),
);

test(
  "deleting an exercise takes nothing from a workout that was done with it but the reference",
  withApi(async (api) => {
    const { as, plank, whole } = await world(api);
    const { json: made } = await api.post(WORKOUTS, { as, body: whole });
    expectStatus(await api.delete(`/api/v1/exercises/${plank}`, { as }), 204);
    const { json: after } = await api.get(`${WORKOUTS}/${made.id}`, { as });
    made.exercises[1].exerciseId = null;
    expect(after).toEqual({ ...made, version: made.version + 1 });
  }),
);

test(
  "a workout of 100 sets is written in at most three statements and read in one, and so is a list",
  withApi(async (api) => {
    const { as, squat } = await world(api);
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
