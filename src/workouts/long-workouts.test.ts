import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { API, WORKOUTS } from "#test/paths.ts";

const [START, SEVEN_DAYS, TOO_LATE] = [
  "2026-03-01T10:00:00Z",
  "2026-03-08T10:00:00Z",
  "2026-03-08T10:00:00.000001Z",
];

test(
  "a workout lasts at most seven days, however its times are set",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const workout = (endedAt: string) => ({
      as,
      body: { timeZone: "UTC", startedAt: START, endedAt },
    });
    const longest = await api.post(WORKOUTS, workout(SEVEN_DAYS));
    expectStatus(longest, 201);
    expect(longest.json.durationS).toBe(7 * 86_400);
    const finished = `${WORKOUTS}/${longest.json.id}`;
    const running = await api.post(WORKOUTS, { as, body: { timeZone: "UTC", startedAt: START } });
    const inProgress = `${WORKOUTS}/${running.json.id}`;
    for (const answer of [
      await api.post(WORKOUTS, workout(TOO_LATE)),
      await api.patch(finished, { as, body: { endedAt: TOO_LATE } }),
      await api.patch(finished, { as, body: { startedAt: "2026-03-01T09:59:59.999999Z" } }),
      await api.post(`${inProgress}/finish`, { as, body: { endedAt: TOO_LATE } }),
      await api.post(`${inProgress}/finish`, { as, body: {} }),
      await api.post(`${inProgress}/abort`, { as, body: {} }),
    ]) {
      expectProblem(answer, 422, "workouts.too_long");
      expect(answer.json.errors.map(({ field }: { field: string }) => field)).toEqual(["/endedAt"]);
    }
    expectStatus(
      await api.post(`${inProgress}/finish`, { as, body: { endedAt: SEVEN_DAYS } }),
      200,
    );
  }),
);

test(
  "a sync refuses a workout that is too long and applies the other changes",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const item = (startedAt: string, endedAt: string) => ({
      kind: "workout",
      id: Bun.randomUUIDv7(),
      baseVersion: null,
      state: { timeZone: "UTC", startedAt, endedAt, exercises: [] },
    });
    const changes = [
      item(START, SEVEN_DAYS),
      item("1900-01-01T00:00:00Z", "2000-01-01T00:00:00Z"),
      item(START, START),
    ];
    const answer = await api.post(`${API}/sync`, { as, body: { changes } });
    expectStatus(answer, 200);
    expect(answer.json.results.map(({ status }: { status: string }) => status)).toEqual([
      "applied",
      "refused",
      "applied",
    ]);
    expect(answer.json.results[1].problem.code).toBe("workouts.too_long");
  }),
);

test(
  "a workout from before the limit may stay longer until its times change",
  withApi(async (api, { sql }) => {
    const { user, as } = await makeSignedIn(api);
    const day = "2000-01-01";
    for (const [from, to] of [
      ["1900-01-01T12:00:00Z", "2000-01-01T12:00:00Z"],
      [`${day}T12:00:00Z`, "2060-01-01T12:00:00Z"],
      [`${day}T13:00:00Z`, "2060-01-01T12:00:00Z"],
    ] as const) {
      await sql`
        insert into workouts (user_id, status, started_at, ended_at, time_zone, is_length_exempt)
        values (${user.id}, 'completed', ${from}, ${to}, 'UTC', true)`;
    }
    const days = await api.get(`${WORKOUTS}/calendar?from=${day}&to=${day}`, { as });
    expectStatus(days, 200);
    expect(days.json).toEqual([{ day, workoutCount: 2, setCount: 0, durationS: 3_786_908_400 }]);
    const { items } = (await api.get(WORKOUTS, { as })).json;
    expect(items.map(({ durationS }: { durationS: number }) => durationS)).toEqual([
      1_893_452_400, 1_893_456_000, 3_155_673_600,
    ]);
    const path = `${WORKOUTS}/${items[2].id}`;
    expectStatus(await api.patch(path, { as, body: { notes: "Forgot to stop it" } }), 200);
    const { id, version, ...stored } = (await api.get(path, { as })).json;
    const state = {
      notes: "Still",
      timeZone: stored.timeZone,
      startedAt: stored.startedAt,
      endedAt: stored.endedAt,
      exercises: [],
    };
    const sync = await api.post(`${API}/sync`, {
      as,
      body: { changes: [{ kind: "workout", id, baseVersion: version, state }] },
    });
    expect(sync.json.results[0].status).toBe("applied");
    expectStatus(await api.delete(path, { as }), 204);
    expectStatus(await api.post(`${path}/restore`, { as, body: {} }), 200);
    expectProblem(
      await api.patch(path, { as, body: { startedAt: "1900-01-02T00:00:00Z" } }),
      422,
      "workouts.too_long",
    );
    expectStatus(await api.patch(path, { as, body: { endedAt: "1900-01-01T13:00:00Z" } }), 200);
    expectProblem(
      await api.patch(path, { as, body: { endedAt: "1901-01-01T13:00:00Z" } }),
      422,
      "workouts.too_long",
    );
  }),
);
