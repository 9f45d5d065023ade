import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { API } from "#test/paths.ts";
import { testPool } from "#test/transaction.ts";

const INVALID_DAYS = [
  "2026-02-30",
  "2026-02-29",
  "2026-04-31",
  "2026-13-01",
  "2026-00-01",
  "2026-01-00",
  "1899-12-31",
];
test.each([
  ...INVALID_DAYS,
  "2200-01-01",
  "0000-01-01",
  "2026-1-1",
  "2026-01-01T00:00:00Z",
  "tomorrow",
  "",
])("%s is refused wherever a day is expected", (day) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    for (const path of [`${API}/workouts/calendar`, `${API}/progress/volume`]) {
      for (const query of [`from=${day}&to=2026-01-31`, `from=2026-01-01&to=${day}`]) {
        expectProblem(await api.get(`${path}?${query}`, { as }), 422, "invalid_request");
      }
    }
  })(),
);

test.each(["1900-01-01", "2199-12-31", "2024-02-29", "2000-02-29"])("%s is a day", (day) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    for (const path of [`${API}/workouts/calendar`, `${API}/progress/volume`]) {
      expectStatus(await api.get(`${path}?from=${day}&to=${day}`, { as }), 200);
    }
  })(),
);

const INVALID_TIMES = [
  "2026-01-01T00:00:00+16:00",
  "2026-01-01T00:00:00-16:00",
  "2026-01-01T00:00:00+99:99",
  "2026-01-01T00:00:00+01:60",
  "2026-01-01T24:00:00Z",
  "2026-01-01T23:60:00Z",
  "2016-12-31T23:59:60Z",
  "2026-02-30T00:00:00Z",
  "1899-12-31T23:59:59Z",
  "1900-01-01T00:00:00+00:01",
  "2199-12-31T23:59:59-00:01",
  "2200-01-01T00:00:00Z",
  "2026-01-01T00:00:00",
  "2026-01-01 00:00:00Z",
  "2026-01-01T00:00:00.1234567Z",
  "infinity",
  "now",
];
test.each(INVALID_TIMES)("%s is refused wherever a time is expected", (at) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api, { roleSlug: "superuser" });
    const text = encodeURIComponent(at);
    for (const path of [
      `workouts?from=${text}`,
      `workouts?to=${text}`,
      `users?createdAfter=${text}`,
    ]) {
      expectProblem(await api.get(`${API}/${path}`, { as }), 422, "invalid_request");
    }
    const body = { timeZone: "UTC", startedAt: at };
    expectProblem(await api.post(`${API}/workouts`, { as, body }), 422, "invalid_request");
    const cursor = Buffer.from(`${at} 0197c0de-0000-7000-8000-000000000000`).toString("base64url");
    expectProblem(
      await api.get(`${API}/workouts?cursor=${cursor}`, { as }),
      422,
      "invalid_request",
    );
  })(),
);

test.each([
  ["2026-01-01T00:00:00+15:59", "2025-12-31T08:01:00.000000Z"],
  ["2026-01-01T00:00:00-15:59", "2026-01-01T15:59:00.000000Z"],
  ["1900-01-01T00:00:00Z", "1900-01-01T00:00:00.000000Z"],
  ["2199-12-31T23:59:59.999999Z", "2199-12-31T23:59:59.999999Z"],
  ["2026-01-01t00:00:00z", "2026-01-01T00:00:00.000000Z"],
])("%s is a time, and is returned in UTC with microseconds", (startedAt, read) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const started = await api.post(`${API}/workouts`, { as, body: { timeZone: "UTC", startedAt } });
    expectStatus(started, 201);
    expect(started.json.startedAt).toBe(read);
  })(),
);

test(
  "a time zone is any name that both PostgreSQL and the runtime know",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const stated = await testPool().sql<
      { name: string }[]
    >`select name from pg_timezone_names order by name`;
    const isKnownToRuntime = (name: string) => {
      try {
        return Intl.DateTimeFormat("en", { timeZone: name }) !== undefined;
      } catch {
        return false;
      }
    };
    const names = new Set(stated.map(({ name }) => name).filter(isKnownToRuntime));
    for (const name of [
      "EST5EDT",
      "NZ-CHAT",
      "W-SU",
      "GMT0",
      "Europe/Berlin",
      "America/Port-au-Prince",
    ]) {
      expect([...names]).toContain(name);
    }
    const refused: string[] = [];
    for (const name of names) {
      const answer = await api.get(`${API}/progress/streaks?timeZone=${encodeURIComponent(name)}`, {
        as,
      });
      if (answer.status !== 200) refused.push(name);
    }
    expect(refused).toEqual([]);
    const others = Intl.supportedValuesOf("timeZone").filter((name) => !names.has(name));
    for (const name of [
      ...others,
      "Mars/Olympus",
      "+01:00",
      "-05",
      "UTC+5",
      "FOO5BAR",
      "US/Pacific-New",
      "Factory",
      "../UTC",
    ]) {
      const answer = await api.get(`${API}/progress/streaks?timeZone=${encodeURIComponent(name)}`, {
        as,
      });
      expectProblem(answer, 422, "invalid_request");
    }
  }),
);

test(
  "a problem about many ids names ten in its detail, and the field of each in its errors",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const ids = Array.from({ length: 90 }, () => crypto.randomUUID());
    const exercises = ids.map((exerciseId) => ({ exerciseId, mode: "reps" }));
    const asked: [path: string, body: unknown, code: string, fieldOf: (at: number) => string][] = [
      [
        "workouts",
        { timeZone: "UTC", exercises },
        "workouts.exercise_not_found",
        (at) => `/exercises/${at}/exerciseId`,
      ],
      [
        "routines",
        { name: "Many", exercises: exercises.map((exercise) => ({ ...exercise, sets: 1 })) },
        "routines.exercise_not_found",
        (at) => `/exercises/${at}/exerciseId`,
      ],
      [
        "plans",
        { name: "Many", routines: ids.map((routineId, at) => ({ routineId, day: at + 1 })) },
        "plans.routine_not_found",
        (at) => `/routines/${at}/routineId`,
      ],
    ];
    for (const [path, body, code, fieldOf] of asked) {
      const answer = await api.post(`${API}/${path}`, { as, body });
      expectProblem(answer, 404, code);
      expect(answer.json.detail).toMatch(
        /^[A-Z][a-z]+ not found: \[([0-9a-f-]{36}, ){9}[0-9a-f-]{36}\] and 80 more$/,
      );
      expect(answer.json.errors).toEqual(
        ids.map((id, at) => ({
          field: fieldOf(at),
          code: "not_found",
          message: `There is no ${id}`,
        })),
      );
    }
    const named = ids.map((exerciseId, at) => ({ name: `Name ${at}`, exerciseId }));
    const chosen = await api.patch(`${API}/imports/names`, { as, body: { names: named } });
    expectProblem(chosen, 404, "imports.exercise_not_found");
    expect(chosen.json.errors).toHaveLength(90);
  }),
);

test(
  "for an exercise with a hundred unknown muscles the problem names each of them",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const muscles = (from: number) => Array.from({ length: 50 }, (_, at) => from + at);
    const body = {
      name: "Everything",
      primaryMuscles: muscles(30_000),
      secondaryMuscles: muscles(31_000),
      difficultyLevel: "expert",
      category: "strength",
    };
    const answer = await api.post(`${API}/exercises/user`, { as, body });
    expectProblem(answer, 404, "exercises.muscles_not_found");
    expect(answer.json.detail.length).toBeLessThan(500);
    expect(answer.json.errors).toHaveLength(100);
  }),
);

test(
  "lengths are counted in Unicode characters, as in the OpenAPI document and the database, in every text field",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [fits, tooLong] = ["💪".repeat(100), "💪".repeat(101)];
    const bodyOf = (name: string) => ({
      name,
      description: name.repeat(10),
      exercises: [{ exerciseName: name, mode: "reps", sets: 1, notes: name }],
    });
    const made = await api.post(`${API}/routines`, { as, body: bodyOf(fits) });
    expectStatus(made, 201);
    expect(made.json).toMatchObject({ name: fits, exercises: [{ exerciseName: fits }] });
    const fields = (await api.post(`${API}/routines`, { as, body: bodyOf(tooLong) })).json.errors;
    expect(fields).toEqual([
      { field: "/name", code: "too_long", message: "Must have at most 100 characters" },
      {
        field: "/exercises/0/exerciseName",
        code: "too_long",
        message: "Must have at most 100 characters",
      },
    ]);
    expectStatus(
      await api.get(`${API}/routines?searchString=${encodeURIComponent(fits)}`, { as }),
      200,
    );
    const change = (description: string | null) =>
      api.patch(`${API}/routines/${made.json.id}`, { as, body: { description } });
    expectStatus(await change("💪".repeat(2000)), 200);
    expectProblem(await change("💪".repeat(2001)), 422, "invalid_request");
  }),
);
