import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeSignedIn } from "#test/fixtures.ts";
import { expectProblem, withApi } from "#test/harness.ts";
import { HEVY_HEADER, hevyRow, importFile, listFullWorkouts, sendFile } from "#test/imports.ts";
import { IMPORTS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

const example = (name: string) => readFileSync(join(import.meta.dir, "examples", name), "utf8");
const BERLIN = "timeZone=Europe/Berlin";

test.each([
  ["strong-comma-lb.csv", "strong", "&weightUnit=lb"],
  ["strong-semicolon-kg.csv", "strong", ""],
  ["hevy-kg.csv", "hevy", ""],
  ["hevy-lb-iso.csv", "hevy", ""],
  ["fitnotes-android.csv", "fitnotes", ""],
  ["fitnotes-slash-dates.csv", "fitnotes", ""],
])(
  "%s is imported completely, and the same file again adds nothing",
  async (name, format, options) => {
    await withApi(async (api) => {
      const { as } = await makeSignedIn(api);
      const query = `${BERLIN}${options}`;
      const dryRun = await importFile(api, as, example(name), `${query}&dryRun=true`);
      expect(dryRun).toMatchObject({ format, dryRun: true, importId: null });
      expect(await listFullWorkouts(api, as)).toEqual([]);

      const report = await importFile(api, as, example(name), query);
      expect({ ...report, importId: null, dryRun: true }).toEqual(dryRun);
      const { added } = report.workouts;
      expect(added).toBeGreaterThan(0);
      const workouts = await listFullWorkouts(api, as);
      expect(workouts).toHaveLength(added);
      const sets = workouts.flatMap(({ exercises }) =>
        exercises.flatMap((exercise) => exercise.sets),
      );
      expect(sets).toHaveLength(report.sets);
      expect((await api.get(IMPORTS, { as })).json).toMatchObject([
        { id: report.importId, format, workoutCount: added, setCount: sets.length, undoneAt: null },
      ]);

      const second = await importFile(api, as, example(name), query);
      expect(second).toMatchObject({
        importId: null,
        workouts: { added: 0, known: added },
        sets: 0,
      });
      expect(await listFullWorkouts(api, as)).toEqual(workouts);
      expect((await api.get(IMPORTS, { as })).json).toHaveLength(1);
    })();
  },
);

test(
  "weights keep their unit, times are local to the time zone, and a second metric is stored in the note",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    await sendFile(
      api,
      as,
      example("strong-comma-lb.csv"),
      "timeZone=America/New_York&weightUnit=lb",
    );
    const workouts = await listFullWorkouts(api, as);
    const push = workouts.find(({ name }) => name === "Push, heavy");
    // 17:32:11 in summer time, for an hour and five minutes.
    expect(push).toMatchObject({
      status: "completed",
      startedAt: "2023-05-14T21:32:11.000000Z",
      timeZone: "America/New_York",
      durationS: 3900,
      notes: "Slept badly.\nTwo coffees.",
    });
    expect(push?.exercises.map(({ exerciseName, mode }) => [exerciseName, mode])).toEqual([
      ["Barbell Bench Press", "reps"],
      ["Push Up", "reps"],
      ["Barbell Bench Press", "reps"],
    ]);
    expect(push?.exercises[0]?.sets).toMatchObject([
      { type: "warmup", weight: 45, weightUnit: "lb", weightKg: 20.4117, reps: 10 },
      { type: "working", weight: 185, reps: 5, rpe: 8.5, note: "paused, slow" },
      { type: "failure", weight: 195, rpe: 10 },
    ]);
    const run = workouts.find(({ name }) => name === "Run")?.exercises[0];
    expect(run).toMatchObject({
      mode: "distance",
      sets: [{ distanceM: 4989, timeS: null, note: "1500 s" }],
    });
  }),
);

test(
  "a file without units of weights, or of an unknown format, is refused and changes nothing",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const strong = example("strong-comma-lb.csv");
    expectProblem(await sendFile(api, as, strong), 422, "imports.unit_required");
    expectProblem(await sendFile(api, as, "a,b,c\n1,2,3\n"), 422, "imports.unknown_format");
    expectProblem(await sendFile(api, as, ""), 422, "imports.unknown_format");
    expectProblem(await sendFile(api, as, strong, "weightUnit=lb"), 422, "invalid_request");
    expectProblem(
      await sendFile(api, as, strong, "timeZone=Mars/Olympus&weightUnit=lb"),
      422,
      "invalid_request",
    );
    expectProblem(
      await sendFile(api, as, strong, "timeZone=UTC&weightUnit=lb", {
        "content-type": "application/json",
      }),
      415,
      "unsupported_media_type",
    );
    const tooLong = { "content-length": String(17 * 2 ** 20) };
    expectProblem(
      await sendFile(api, as, strong, "timeZone=UTC&weightUnit=lb", tooLong),
      413,
      "body_too_large",
    );
    // The body is not read before authentication.
    expectProblem(
      await sendFile(api, "", strong, "timeZone=UTC", tooLong),
      401,
      "access.not_authenticated",
    );
    expect(await listFullWorkouts(api, as)).toEqual([]);
  }),
);

test(
  "rows without a date or an exercise and invalid cells of other rows are left out, and the report names them",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [
      hevyRow(1, "Press", 50),
      hevyRow(1, "", 50),
      hevyRow(1, "Press", -22.5),
      hevyRow(2, "Press", 60, "8.5"),
    ];
    const report = await importFile(api, as, [HEVY_HEADER, ...rows]);
    expect(report).toMatchObject({ workouts: { added: 2 }, sets: 3, errorCount: 1, cellCount: 2 });
    expect(report.errors).toMatchObject([
      { row: 3, lastRow: 3, column: "exercise_title", code: "required" },
    ]);
    expect(report.cells).toMatchObject([
      { row: 4, column: "weight_kg", code: "assisted" },
      { row: 5, column: "reps", code: "number" },
    ]);
    const sets = (await listFullWorkouts(api, as)).flatMap(({ exercises }) =>
      exercises.flatMap((exercise) => exercise.sets),
    );
    expect(sets).toMatchObject([
      { weight: 60, reps: null },
      { weight: 50, reps: 5, note: null },
      { weight: null, weightKg: null, reps: 5, note: "assisted 22.5 kg" },
    ]);
  }),
);

test(
  "assistance and second metrics fit into a note of the maximum length, and the report says that it was truncated",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const header =
      "Date,Workout Name,Exercise Name,Set Order,Weight (kg),Reps,Seconds,Notes,Workout #";
    const report = await importFile(
      api,
      as,
      `${header}\n2024-01-15 10:00:00,A,Dip,1,-20,8,60,${"x".repeat(500)},7\n`,
    );
    expect(report.cells).toMatchObject([
      { row: 2, code: "assisted" },
      { row: 2, code: "too_long" },
    ]);
    expect(report.ignored).toEqual({ columns: ["Workout #"], restTimerCount: 0 });
    const [workout] = await listFullWorkouts(api, as);
    const [set] = (workout?.exercises[0]?.sets ?? []) as { note: string }[];
    expect(set?.note).toHaveLength(500);
    expect(set?.note).toEndWith("x, assisted 20 kg, 60 s");
  }),
);

test(
  "50,000 rows are imported with two statements for every hundred workouts",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = Array.from({ length: 50_000 }, (_, n) => {
      const day = new Date(Date.UTC(2015, 0, 1 + Math.floor(n / 20)));
      const start = `${day.toISOString().slice(0, 10)} 17:00:00`;
      const exercise = ["Squat (Barbell)", "Deadlift (Barbell)", "Plank"][n % 3];
      return `"Day","${start}","${start}","","${exercise}",,"",${n % 20},"normal",${50 + (n % 50)},5,,,`;
    });
    const file = [HEVY_HEADER, ...rows];
    const statements = await statementsOf(async () => {
      const report = await importFile(api, as, file);
      expect(report).toMatchObject({
        workouts: { added: 2500, known: 0 },
        sets: 50_000,
        errorCount: 0,
      });
    });
    expect(statements.length).toBeLessThanOrEqual(2 * 25 + 5);
  }),
  60_000,
);

test(
  "the same Idempotency-Key with another file is refused",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const key = { "idempotency-key": "import-1" };
    const file = [HEVY_HEADER, hevyRow(1, "Press", 50)].join("\n");
    const first = await sendFile(api, as, file, "timeZone=UTC", key);
    expect((await sendFile(api, as, file, "timeZone=UTC", key)).text).toBe(first.text);
    expectProblem(
      await sendFile(api, as, `${file}\n`, "timeZone=UTC", key),
      422,
      "idempotency.mismatch",
    );
  }),
);
