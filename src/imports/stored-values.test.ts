import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";
import { importFile } from "#test/imports.ts";

const HEADER =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE";
const row = (start: string, { name = "Push", exercise = "Bench", length = "1h" } = {}) =>
  `${start},"${name}",${length},"${exercise}",1,60,5,,,,,`;

const importRows = (api: Api, as: string, rows: string[], timeZone = "UTC") =>
  importFile(api, as, [HEADER, ...rows], `timeZone=${encodeURIComponent(timeZone)}`);

/**
 * Lists a user's workouts, and checks that an empty account can import their archive, and that a
 * device can send each of them as it was read.
 */
async function checkedWorkouts(api: Api, as: string) {
  const archive = await api.get("/api/v1/archive", { as });
  const { as: emptyAccount } = await makeSignedIn(api);
  const headers = { "content-type": "application/zip" };
  expectStatus(
    await api.post("/api/v1/archive", { as: emptyAccount, body: archive.bytes, headers }),
    200,
  );
  expect(
    Buffer.from((await api.get("/api/v1/archive", { as: emptyAccount })).bytes).equals(
      archive.bytes,
    ),
  ).toBe(true);

  const { items } = (await api.get("/api/v1/workouts", { as })).json;
  for (const { id, version, name, startedAt, endedAt, timeZone } of items) {
    const { exercises } = (await api.get(`/api/v1/workouts/${id}`, { as })).json;
    const entries = exercises.map(
      ({ position: _position, exerciseId: _id, sets, ...entry }: Record<string, unknown>) => ({
        ...entry,
        sets: (sets as Record<string, unknown>[]).map(
          ({ position: _p, weightKg: _kg, ...set }) => set,
        ),
      }),
    );
    const state = { name, startedAt, endedAt, timeZone, exercises: entries, status: "completed" };
    const changes = [{ kind: "workout", id, baseVersion: version, state }];
    const synced = await api.post("/api/v1/sync", { as, body: { changes } });
    expect(synced.json.results).toMatchObject([{ status: "unchanged", problem: null }]);
  }
  return items as { name: string | null; startedAt: string; endedAt: string }[];
}

test.each([
  ["1900-01-01 00:30:00", "Europe/Berlin"],
  ["2199-12-31 23:30:00", "America/Los_Angeles"],
])(
  "%s in %s is outside of 1900 to 2199 in UTC: the row is left out, and the others are imported",
  (start, timeZone) =>
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const report = await importRows(api, as, [row(start), row("2024-05-01 10:00:00")], timeZone);
      expect(report).toMatchObject({
        errorCount: 1,
        errors: [{ row: 2, column: "Date", code: "range" }],
      });
      expect(await checkedWorkouts(api, as)).toHaveLength(1);
    })(),
);

test(
  "an end after 2199 is left out with a warning, and its workout is imported",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const report = await importRows(api, as, [row("2199-12-31 23:30:00")]);
    expect(report).toMatchObject({ errorCount: 0, workouts: { added: 1 } });
    expect(JSON.stringify(report)).toContain("must end before 2200");
    const start = "2199-12-31T23:30:00.000000Z";
    expect(await checkedWorkouts(api, as)).toMatchObject([{ startedAt: start, endedAt: start }]);
  }),
);

test.each([
  ["invisible letters", "\u3164", null],
  ["a Braille blank", "\u2800", null],
  ["a soft hyphen", "Pu\u00adsh", "Push"],
  ["a direction override", "a\u202eb", "ab"],
  ["a combining accent", "Pu\u0308sh", "Püsh"],
  [
    "letters that become two when composed",
    "\u0958".repeat(60),
    "\u0958".normalize("NFC").repeat(50),
  ],
  ["surrogate pairs", "💪".repeat(100), "💪".repeat(100)],
])(
  "a name with %s is stored so that every other operation accepts it",
  (_description, name, stored) =>
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const rows = [
        row("2024-05-01 10:00:00", { name }),
        row("2024-05-02 10:00:00", { exercise: name }),
      ];
      expect((await importRows(api, as, rows)).errorCount).toBe(stored === null ? 1 : 0);
      const [day2, day1 = day2] = await checkedWorkouts(api, as);
      expect(day1?.name).toBe(stored);
      if (stored === null) return;
      const { items } = (await api.get("/api/v1/workouts", { as })).json;
      const workout = (await api.get(`/api/v1/workouts/${items[0].id}`, { as })).json;
      expect(workout.exercises[0].exerciseName).toBe(stored);
      expect((await importRows(api, as, rows)).workouts).toEqual({ added: 0, known: 2 });
      expect((await importRows(api, as, rows)).differing).toEqual([]);
    })(),
);
