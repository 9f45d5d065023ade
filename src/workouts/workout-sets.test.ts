import { expect, test } from "bun:test";
import { ABSENT, makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

type Body = Record<string, unknown>;

/** A workout in progress with two exercises, and functions that read it. */
async function startWorkout(api: Api) {
  const { as } = await makeSignedIn(api);
  const squat = await makeExercise(api, { name: "Zq Squat" });
  const exercises = [
    { exerciseId: squat, mode: "reps", sets: [1, 2, 3].map((reps) => ({ reps })) },
    { exerciseName: "Plank", mode: "time" },
  ];
  const { json } = await api.post(WORKOUTS, { as, body: { timeZone: "UTC", exercises } });
  const url = `${WORKOUTS}/${json.id}`;
  const read = async () => (await api.get(url, { as })).json;
  const repsInOrder = async () => {
    const workout = await read();
    const sets = workout.exercises[0].sets as { reps: number; position: number }[];
    expect(sets.map(({ position }) => position)).toEqual(sets.map((_set, index) => index + 1));
    return sets.map(({ reps }) => reps);
  };
  return { as, url, workout: json, squat, read, repsInOrder };
}

test(
  "sets are logged at the end, changed, moved and removed, and each write increments the version",
  withApi(async (api) => {
    const { as, url, workout, read, repsInOrder } = await startWorkout(api);
    const [entry] = workout.exercises;
    const logged = await api.post(`${url}/exercises/${entry.id}/sets`, {
      as,
      body: { reps: 4, weight: 100, weightUnit: "lb" },
    });
    expectStatus(logged, 201);
    expect(logged.json).toMatchObject({
      position: 4,
      type: "working",
      reps: 4,
      weight: 100,
      weightKg: 45.3592,
    });
    expect(await repsInOrder()).toEqual([1, 2, 3, 4]);
    const changed = await api.patch(`${url}/sets/${logged.json.id}`, {
      as,
      body: { reps: 5, weightUnit: "kg", note: "Easy" },
    });
    expect(changed.json).toEqual({
      ...logged.json,
      reps: 5,
      weightUnit: "kg",
      weightKg: 100,
      note: "Easy",
    });
    const move = (position: number) =>
      api.patch(`${url}/sets/${logged.json.id}`, { as, body: { position } });
    await move(2);
    expect(await repsInOrder()).toEqual([1, 5, 2, 3]);
    await move(1);
    expect(await repsInOrder()).toEqual([5, 1, 2, 3]);
    await move(500);
    expect(await repsInOrder()).toEqual([1, 2, 3, 5]);
    expectStatus(await api.delete(`${url}/sets/${entry.sets[1].id}`, { as }), 204);
    expect(await repsInOrder()).toEqual([1, 3, 5]);
    expect((await read()).version).toBe(7);
    expect((await api.patch(`${url}/sets/${entry.sets[0].id}`, { as, body: {} })).json).toEqual(
      entry.sets[0],
    );
  }),
);

test(
  "exercises are added at the end, moved and removed",
  withApi(async (api) => {
    const { as, url, workout, read } = await startWorkout(api);
    const names = async () =>
      (await read()).exercises.map(({ exerciseName }: { exerciseName: string }) => exerciseName);
    const added = await api.post(`${url}/exercises`, {
      as,
      body: { exerciseName: "Run", mode: "distance", sets: [{ distanceM: 400 }] },
    });
    expectStatus(added, 201);
    expect(added.json.exercises[2]).toMatchObject({
      position: 3,
      exerciseName: "Run",
      sets: [{ position: 1, distanceM: 400 }],
    });
    const run = added.json.exercises[2].id;
    await api.patch(`${url}/exercises/${run}`, {
      as,
      body: { position: 1, notes: "First", supersetGroup: 2 },
    });
    expect(await names()).toEqual(["Run", "Zq Squat", "Plank"]);
    const moved = await api.patch(`${url}/exercises/${run}`, {
      as,
      body: { position: 99, notes: null },
    });
    expect(moved.json.exercises[2]).toMatchObject({
      exerciseName: "Run",
      notes: null,
      supersetGroup: 2,
      position: 3,
    });
    expectStatus(await api.delete(`${url}/exercises/${workout.exercises[0].id}`, { as }), 204);
    expect(await names()).toEqual(["Plank", "Run"]);
  }),
);

test.each<[string, Body, string]>([
  ["a time in mode reps", { timeS: 3 }, "/timeS"],
  ["a weight without a unit", { weight: 3 }, "/weightUnit"],
  ["fractional reps", { reps: 3.5 }, "/reps"],
  ["an RPE beyond 10", { rpe: 11 }, "/rpe"],
])("a set with %s is rejected when it is logged or changed", async (_what, body, field) => {
  await withApi(async (api) => {
    const { as, url, workout, repsInOrder } = await startWorkout(api);
    const [entry] = workout.exercises;
    for (const answer of [
      await api.post(`${url}/exercises/${entry.id}/sets`, { as, body }),
      await api.patch(`${url}/sets/${entry.sets[0].id}`, { as, body }),
    ]) {
      expectProblem(answer, 422, "invalid_request");
      expect(answer.json.errors.map((error: { field: string }) => error.field)).toContain(field);
    }
    expect(await repsInOrder()).toEqual([1, 2, 3]);
  })();
});

test(
  "a set cannot be logged in a finished workout, in another user's, or for a stale version",
  withApi(async (api) => {
    const { as, url, workout, repsInOrder } = await startWorkout(api);
    const other = await makeSignedIn(api);
    const [entry] = workout.exercises;
    const log = (user: string, ifMatch?: string) =>
      api.post(`${url}/exercises/${entry.id}/sets`, {
        as: user,
        body: { reps: 9 },
        ...(ifMatch ? { headers: { "if-match": ifMatch } } : {}),
      });
    expectProblem(await log(other.as), 404, "workouts.not_found");
    const etag = (await api.get(url, { as })).headers.get("etag") ?? "";
    const note = await api.patch(url, {
      as,
      body: { notes: "Seen" },
      headers: { "if-match": etag },
    });
    expectStatus(note, 200);
    for (const ifMatch of ['"7"', ",", '""', "7", etag])
      expectProblem(await log(as, ifMatch), 412, "workouts.stale");
    expectProblem(await api.delete(`${url}/sets/${ABSENT}`, { as }), 404, "workouts.set_not_found");
    expectProblem(
      await api.post(`${url}/exercises/${ABSENT}/sets`, { as, body: {} }),
      404,
      "workouts.exercise_not_found",
    );
    expectStatus(await api.post(`${url}/finish`, { as, body: {} }), 200);
    const answers = [
      await log(as),
      await api.patch(`${url}/sets/${entry.sets[0].id}`, { as, body: { reps: 9 } }),
      await api.delete(`${url}/sets/${entry.sets[0].id}`, { as }),
      await api.post(`${url}/exercises`, {
        as,
        body: { exerciseName: "Run", mode: "time", sets: [{ timeS: 1 }] },
      }),
      await api.delete(`${url}/exercises/${entry.id}`, { as }),
    ];
    for (const answer of answers) expectProblem(answer, 409, "workouts.finished");
    expect(await repsInOrder()).toEqual([1, 2, 3]);
  }),
);

test(
  "a client may choose ids, but not one that is already taken",
  withApi(async (api) => {
    const { as, url, workout } = await startWorkout(api);
    const id = Bun.randomUUIDv7();
    const log = () =>
      api.post(`${url}/exercises/${workout.exercises[0].id}/sets`, { as, body: { id, reps: 9 } });
    expect((await log()).json.id).toBe(id);
    expectProblem(await log(), 409, "workouts.id_taken");
    expectProblem(
      await api.post(WORKOUTS, { as, body: { id: workout.id, timeZone: "UTC" } }),
      409,
      "workouts.id_taken",
    );
  }),
);

test(
  "logging, changing and removing a set takes at most three statements each",
  withApi(async (api) => {
    const { as, url, workout } = await startWorkout(api);
    const [entry] = workout.exercises;
    const requests = [
      () => api.post(`${url}/exercises/${entry.id}/sets`, { as, body: { reps: 1 } }),
      () => api.patch(`${url}/sets/${entry.sets[0].id}`, { as, body: { reps: 2 } }),
      () => api.delete(`${url}/sets/${entry.sets[0].id}`, { as }),
      () =>
        api.post(`${url}/exercises`, {
          as,
          body: { exerciseName: "Run", mode: "time", sets: [{ timeS: 1 }] },
        }),
      () => api.patch(`${url}/exercises/${entry.id}`, { as, body: { position: 2 } }),
      () => api.delete(`${url}/exercises/${entry.id}`, { as }),
    ];
    for (const request of requests)
      expect((await statementsOf(request)).length).toBeLessThanOrEqual(3);
  }),
);
