import { expect, test } from "bun:test";
import { makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectStatus, withApi } from "#test/harness.ts";

const HEADER =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE";
const row = (start: string, { name = "Push", exercise = "Bench", length = "1h" } = {}) =>
  `${start},"${name}",${length},"${exercise}",1,60,5,,,,,`;

async function read(api: Api, as: string, rows: string[], timeZone = "UTC") {
  const query = `timeZone=${encodeURIComponent(timeZone)}`;
  const headers = { "content-type": "text/csv" };
  const answer = await api.post(`/api/v1/imports?${query}`, {
    as,
    body: [HEADER, ...rows].join("\n"),
    headers,
  });
  expectStatus(answer, 200);
  return answer.json;
}

/**
 * Its workouts; fails unless an empty account takes the archive of them, and a device can send each
 * as it was read.
 */
async function workoutsOf(api: Api, as: string) {
  const archive = await api.get("/api/v1/archive", { as });
  const { as: other } = await makeSignedIn(api);
  const headers = { "content-type": "application/zip" };
  expectStatus(await api.post("/api/v1/archive", { as: other, body: archive.bytes, headers }), 200);
  expect(
    Buffer.from((await api.get("/api/v1/archive", { as: other })).bytes).equals(archive.bytes),
  ).toBe(true);

  const { items } = (await api.get("/api/v1/workouts", { as })).json;
  for (const { id, version, name, startedAt, endedAt, timeZone } of items) {
    const { exercises } = (await api.get(`/api/v1/workouts/${id}`, { as })).json;
    const entries = exercises.map(
      ({ position: _at, exerciseId: _none, sets, ...entry }: Record<string, unknown>) => ({
        ...entry,
        sets: (sets as Record<string, unknown>[]).map(
          ({ position: _n, weightKg: _kg, ...set }) => set,
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
  "%s in %s is outside of 1900 to 2199 in UTC: the row is refused, the others arrive",
  (start, timeZone) =>
    withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const report = await read(api, as, [row(start), row("2024-05-01 10:00:00")], timeZone);
      expect(report).toMatchObject({
        errorCount: 1,
        errors: [{ row: 2, column: "Date", code: "range" }],
      });
      expect(await workoutsOf(api, as)).toHaveLength(1);
    })(),
);

test(
  "an end after 2199 is left out with a note, and its workout arrives",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const report = await read(api, as, [row("2199-12-31 23:30:00")]);
    expect(report).toMatchObject({ errorCount: 0, workouts: { added: 1 } });
    expect(JSON.stringify(report)).toContain("must end before 2200");
    const at = "2199-12-31T23:30:00.000000Z";
    expect(await workoutsOf(api, as)).toMatchObject([{ startedAt: at, endedAt: at }]);
  }),
);

test.each([
  ["invisible letters", "\u3164", null],
  ["a blank of Braille", "\u2800", null],
  ["a soft hyphen", "Pu\u00adsh", "Push"],
  ["another direction", "a\u202eb", "ab"],
  ["an accent apart", "Pu\u0308sh", "Püsh"],
  [
    "letters that become two when composed",
    "\u0958".repeat(60),
    "\u0958".normalize("NFC").repeat(50),
  ],
  ["characters of two units", "💪".repeat(100), "💪".repeat(100)],
])("a name with %s is one that every other operation takes", (_what, name, kept) =>
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const [of, and] = [
      row("2024-05-01 10:00:00", { name }),
      row("2024-05-02 10:00:00", { exercise: name }),
    ];
    expect((await read(api, as, [of, and])).errorCount).toBe(kept === null ? 1 : 0);
    const [day2, day1 = day2] = await workoutsOf(api, as);
    expect(day1?.name).toBe(kept);
    if (kept === null) return;
    const { items } = (await api.get("/api/v1/workouts", { as })).json;
    const whole = (await api.get(`/api/v1/workouts/${items[0].id}`, { as })).json;
    expect(whole.exercises[0].exerciseName).toBe(kept);
    expect((await read(api, as, [of, and])).workouts).toEqual({ added: 0, known: 2 });
    expect((await read(api, as, [of, and])).differing).toEqual([]);
  })(),
);
