import { expect, test } from "bun:test";
import { makeTraining } from "#test/finished-workout.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { WORKOUTS } from "#test/paths.ts";

type Body = Record<string, unknown>;

test(
  "a workout cannot end before it starts, whether it is created or finished so",
  withApi(async (api) => {
    const { as, finished } = await makeTraining(api);
    const backwards = { ...finished, endedAt: "2026-03-01T05:00:00Z" };
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
  "a workout in progress is completed or aborted once, and can be reopened",
  withApi(async (api) => {
    const { as } = await makeTraining(api);
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
  "workouts are paged by cursor, latest first, without gaps or duplicates, and can be filtered",
  withApi(async (api) => {
    const { as, squat, finished } = await makeTraining(api);
    const ids: string[] = [];
    for (let day = 1; day <= 7; day++) {
      // Two of them start at the same moment.
      const startedAt = `2026-03-0${Math.min(day, 6)}T06:00:00.000001Z`;
      const body = {
        ...finished,
        startedAt,
        endedAt: "2026-03-08T00:00:00Z",
        ...(day % 2 ? {} : { exercises: [] }),
      };
      ids.push((await api.post(WORKOUTS, { as, body })).json.id);
    }
    const listedIds: string[] = [];
    let cursor: string | null = null;
    do {
      const page = await api.get(`${WORKOUTS}?pageSize=2${cursor ? `&cursor=${cursor}` : ""}`, {
        as,
      });
      expectStatus(page, 200);
      listedIds.push(...page.json.items.map(({ id }: { id: string }) => id));
      cursor = page.json.nextCursor;
    } while (cursor);
    expect(listedIds).toEqual(ids.toReversed());
    const list = async (query: string) =>
      (await api.get(`${WORKOUTS}?${query}`, { as })).json.items;
    expect(await list(`exerciseId=${squat}`)).toHaveLength(4);
    expect(
      (await list("from=2026-03-02T00:00:00Z&to=2026-03-04T00:00:00Z")).map(
        ({ id }: { id: string }) => id,
      ),
    ).toEqual([ids[2], ids[1]]);
    expect((await list("pageSize=1"))[0]).toMatchObject({ exerciseCount: 3, setCount: 5 });
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
  "a deleted workout is only in the trash until it is restored unchanged",
  withApi(async (api) => {
    const { as, finished } = await makeTraining(api);
    const { json: workout } = await api.post(WORKOUTS, { as, body: finished });
    expectStatus(await api.delete(`${WORKOUTS}/${workout.id}`, { as }), 204);
    expect((await api.get(WORKOUTS, { as })).json.items).toEqual([]);
    expect((await api.get(`${WORKOUTS}/trash`, { as })).json).toMatchObject([
      { id: workout.id, setCount: 5 },
    ]);
    expectProblem(await api.get(`${WORKOUTS}/${workout.id}`, { as }), 404, "workouts.not_found");
    expectProblem(await api.delete(`${WORKOUTS}/${workout.id}`, { as }), 404, "workouts.not_found");
    expectProblem(
      await api.patch(`${WORKOUTS}/${workout.id}`, { as, body: { name: "No" } }),
      404,
      "workouts.not_found",
    );
    const restored = await api.post(`${WORKOUTS}/${workout.id}/restore`, { as, body: {} });
    expect(restored.json.exercises).toEqual(workout.exercises);
    expectProblem(
      await api.post(`${WORKOUTS}/${workout.id}/restore`, { as, body: {} }),
      404,
      "workouts.not_found",
    );
    expect((await api.get(`${WORKOUTS}/trash`, { as })).json).toEqual([]);
  }),
);

test(
  "the calendar counts a workout on the day it started in its own time zone",
  withApi(async (api) => {
    const { as, finished } = await makeTraining(api);
    const record = (startedAt: string, timeZone: string) =>
      api.post(WORKOUTS, {
        as,
        body: {
          ...finished,
          startedAt,
          endedAt: startedAt.replace(":00:00Z", ":30:00Z"),
          timeZone,
        },
      });
    await record("2026-03-01T23:00:00Z", "Europe/Berlin");
    await record("2026-03-02T02:00:00Z", "America/New_York");
    await record("2026-03-02T03:00:00Z", "America/New_York");
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
  "deleting an exercise removes only the reference to it from a workout",
  withApi(async (api) => {
    const { as, plank, finished } = await makeTraining(api);
    const { json: workout } = await api.post(WORKOUTS, { as, body: finished });
    expectStatus(await api.delete(`/api/v1/exercises/${plank}`, { as }), 204);
    const { json: after } = await api.get(`${WORKOUTS}/${workout.id}`, { as });
    workout.exercises[1].exerciseId = null;
    expect(after).toEqual({ ...workout, version: workout.version + 1 });
  }),
);
