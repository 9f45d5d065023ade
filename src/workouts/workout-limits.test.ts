import { test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";

test(
  "an exercise has at most 500 sets, and a workout at most 200 exercises",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const almostFull = {
      exerciseName: "Squat",
      mode: "reps",
      sets: Array.from({ length: 499 }, () => ({ reps: 1 })),
    };
    const others = Array.from({ length: 198 }, () => ({ exerciseName: "Plank", mode: "time" }));
    const started = await api.post(WORKOUTS, {
      as,
      body: { timeZone: "UTC", exercises: [almostFull, ...others] },
    });
    const { id, exercises } = started.json;
    const logSet = () =>
      api.post(`${WORKOUTS}/${id}/exercises/${exercises[0].id}/sets`, { as, body: { reps: 2 } });
    const addExercise = () => api.post(`${WORKOUTS}/${id}/exercises`, { as, body: others[0] });
    expectStatus(await logSet(), 201);
    expectStatus(await addExercise(), 201);
    const before = await api.get(`${WORKOUTS}/${id}`, { as });
    expectProblem(
      await logSet(),
      409,
      "workouts.too_many_sets",
      "An exercise of a workout has at most 500 sets",
    );
    expectProblem(
      await addExercise(),
      409,
      "workouts.too_many_exercises",
      "A workout has at most 200 exercises",
    );
    expectStatus(
      await api.get(`${WORKOUTS}/${id}`, {
        as,
        headers: { "if-none-match": before.headers.get("etag") ?? "" },
      }),
      304,
    );
  }),
);
