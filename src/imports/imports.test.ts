import { expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { makeExercise, makeSignedIn } from "#test/fixtures.ts";
import { type Api, expectProblem, expectStatus, withApi } from "#test/harness.ts";
import { IMPORTS } from "#test/paths.ts";
import { statementsOf } from "#test/transaction.ts";

const example = (name: string) => readFileSync(join(import.meta.dir, "examples", name), "utf8");
const send = (api: Api, as: string, body: string, query = "timeZone=Europe/Berlin", headers = {}) =>
  api.post(`${IMPORTS}?${query}`, {
    as,
    body,
    headers: { "content-type": "text/csv", ...headers },
  });

/** Every workout of the asker's, the latest first, whole. */
async function workoutsOf(api: Api, as: string) {
  const { items } = (await api.get("/api/v1/workouts?pageSize=100", { as })).json;
  const whole: {
    startedAt: string;
    name: string;
    exercises: { exerciseName: string; mode: string; sets: object[] }[];
  }[] = [];
  for (const { id } of items) whole.push((await api.get(`/api/v1/workouts/${id}`, { as })).json);
  return whole;
}

test.each([
  ["strong-comma-lb.csv", "strong", "&weightUnit=lb"],
  ["strong-semicolon-kg.csv", "strong", ""],
  ["hevy-kg.csv", "hevy", ""],
  ["hevy-lb-iso.csv", "hevy", ""],
  ["fitnotes-android.csv", "fitnotes", ""],
  ["fitnotes-slash-dates.csv", "fitnotes", ""],
])("%s is read in whole, and the same file again adds nothing", async (name, format, more) => {
  await withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const query = `timeZone=Europe/Berlin${more}`;
    const dry = await send(api, as, example(name), `${query}&dryRun=true`);
    expectStatus(dry, 200);
    expect(dry.json).toMatchObject({ format, dryRun: true, importId: null });
    expect(await workoutsOf(api, as)).toEqual([]);

    const real = await send(api, as, example(name), query);
    expectStatus(real, 200);
    expect({ ...real.json, importId: null, dryRun: true }).toEqual(dry.json);
    const { added } = real.json.workouts;
    expect(added).toBeGreaterThan(0);
    const made = await workoutsOf(api, as);
    expect(made).toHaveLength(added);
    const sets = made.flatMap(({ exercises }) => exercises.flatMap((exercise) => exercise.sets));
    expect(sets).toHaveLength(real.json.sets);
    expect((await api.get(IMPORTS, { as })).json).toMatchObject([
      {
        id: real.json.importId,
        format,
        workoutCount: added,
        setCount: sets.length,
        undoneAt: null,
      },
    ]);

    const again = await send(api, as, example(name), query);
    expect(again.json).toMatchObject({
      importId: null,
      workouts: { added: 0, known: added },
      sets: 0,
    });
    expect(await workoutsOf(api, as)).toEqual(made);
    expect((await api.get(IMPORTS, { as })).json).toHaveLength(1);
  })();
});

test(
  "weights keep their unit, times are those of the place, and what does not fit the mode is kept in words",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    await send(api, as, example("strong-comma-lb.csv"), "timeZone=America/New_York&weightUnit=lb");
    const made = await workoutsOf(api, as);
    const push = made.find(({ name }) => name === "Push, heavy");
    // 17:32:11 in summer, for an hour and five minutes.
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
    const run = made.find(({ name }) => name === "Run")?.exercises[0];
    expect(run).toMatchObject({
      mode: "distance",
      sets: [{ distanceM: 4989, timeS: null, note: "1500 s" }],
    });
  }),
);

test(
  "a file whose weights have no unit, or that is none of the formats, is refused and changes nothing",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const strong = example("strong-comma-lb.csv");
    expectProblem(await send(api, as, strong), 422, "imports.unit_required");
    expectProblem(await send(api, as, "a,b,c\n1,2,3\n"), 422, "imports.unknown_format");
    expectProblem(await send(api, as, ""), 422, "imports.unknown_format");
    expectProblem(await send(api, as, strong, "weightUnit=lb"), 422, "invalid_request");
    expectProblem(
      await send(api, as, strong, "timeZone=Mars/Olympus&weightUnit=lb"),
      422,
      "invalid_request",
    );
    expectProblem(
      await send(api, as, strong, "timeZone=UTC&weightUnit=lb", {
        "content-type": "application/json",
      }),
      415,
      "unsupported_media_type",
    );
    const tooLong = { "content-length": String(17 * 2 ** 20) };
    expectProblem(
      await send(api, as, strong, "timeZone=UTC&weightUnit=lb", tooLong),
      413,
      "body_too_large",
    );
    // Before who asks is known, nothing is read.
    expectProblem(
      await send(api, "", strong, "timeZone=UTC", tooLong),
      401,
      "access.not_authenticated",
    );
    expect(await workoutsOf(api, as)).toEqual([]);
  }),
);

const HEVY_HEADER =
  '"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_index","set_type","weight_kg","reps","distance_km","duration_seconds","rpe"';
const hevyRow = (
  day: number,
  exercise: string,
  weight: number | string,
  reps: number | string = 5,
) =>
  `"Day","${day} Mar 2024, 17:00","${day} Mar 2024, 18:00","","${exercise}",,"",0,"normal",${weight},${reps},,,`;

test(
  "rows without a date or an exercise are left out, odd cells of others cost themselves, and the report names them",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = [
      hevyRow(1, "Press", 50),
      hevyRow(1, "", 50),
      hevyRow(1, "Press", -22.5),
      hevyRow(2, "Press", 60, "8.5"),
    ];
    const { json } = await send(api, as, [HEVY_HEADER, ...rows].join("\n"));
    expect(json).toMatchObject({ workouts: { added: 2 }, sets: 3, errorCount: 1, cellCount: 2 });
    expect(json.errors).toMatchObject([
      { row: 3, lastRow: 3, column: "exercise_title", code: "required" },
    ]);
    expect(json.cells).toMatchObject([
      { row: 4, column: "weight_kg", code: "assisted" },
      { row: 5, column: "reps", code: "number" },
    ]);
    const sets = (await workoutsOf(api, as)).flatMap(({ exercises }) =>
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
  "assistance and second metrics are kept though a note is as long as it may be, and the report says what was cut",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const header =
      "Date,Workout Name,Exercise Name,Set Order,Weight (kg),Reps,Seconds,Notes,Workout #";
    const { json } = await send(
      api,
      as,
      `${header}\n2024-01-15 10:00:00,A,Dip,1,-20,8,60,${"x".repeat(500)},7\n`,
    );
    expect(json.cells).toMatchObject([
      { row: 2, code: "assisted" },
      { row: 2, code: "too_long" },
    ]);
    expect(json.ignored).toEqual({ columns: ["Workout #"], restTimerCount: 0 });
    const [workout] = await workoutsOf(api, as);
    const [set] = (workout?.exercises[0]?.sets ?? []) as { note: string }[];
    expect(set?.note).toHaveLength(500);
    expect(set?.note).toEndWith("x, assisted 20 kg, 60 s");
  }),
);

test(
  "a name that means nothing gets proposals, and what is chosen once is remembered",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const stranger = await makeSignedIn(api);
    const own = await makeExercise(api, { owner: user, name: "Zqx Garage Press" });
    const foreign = await makeExercise(api, { owner: stranger.user, name: "Zqx Foreign Press" });
    const names = async (day: number, exercise: string) =>
      (await send(api, as, [HEVY_HEADER, hevyRow(day, exercise, 50)].join("\n"))).json.names;
    const [unknown] = await names(1, "Zqx Garage Pres");
    expect(unknown).toMatchObject({ exerciseId: null, by: null, proposals: [{ exerciseId: own }] });
    expect(
      unknown.proposals.map(({ exerciseId }: { exerciseId: string }) => exerciseId),
    ).not.toContain(foreign);
    expect(await names(2, "zqx  GARAGE press")).toMatchObject([
      { exerciseId: own, by: "name", proposals: [] },
    ]);

    const choose = (exerciseId: string | null) =>
      api.patch(`${IMPORTS}/names`, {
        as,
        body: { names: [{ name: "Zqx Garage Pres", exerciseId }] },
      });
    expectProblem(await choose(foreign), 404, "imports.exercise_not_found");
    const chosen = [{ name: "Zqx Garage Pres", exerciseId: own, exerciseName: "Zqx Garage Press" }];
    expect((await choose(own)).json).toEqual(chosen);
    expect((await api.get(`${IMPORTS}/names`, { as })).json).toEqual(chosen);
    expect((await api.get(`${IMPORTS}/names`, { as: stranger.as })).json).toEqual([]);
    expect(await names(3, "Zqx Garage Pres")).toMatchObject([{ exerciseId: own, by: "chosen" }]);
    expect((await choose(null)).json).toEqual([]);
    expect(await names(4, "Zqx Garage Pres")).toMatchObject([{ exerciseId: null }]);
    // History keeps the name that the file gave where nothing was meant by it.
    const last = (await workoutsOf(api, as))[0]?.exercises[0];
    expect(last).toMatchObject({ exerciseId: null, exerciseName: "Zqx Garage Pres" });
  }),
);

test(
  "an import is taken back into the trash, but for what was changed since, and may be read again",
  withApi(async (api) => {
    const { as, user } = await makeSignedIn(api);
    const press = await makeExercise(api, { owner: user, name: "Zqx Press" });
    const stranger = await makeSignedIn(api);
    const file = [
      HEVY_HEADER,
      hevyRow(1, "Zqx Press", 50),
      hevyRow(2, "Zqx Press", 60),
      hevyRow(3, "Zqx Press", 70),
    ].join("\n");
    const { importId } = (await send(api, as, file)).json;
    const [last] = (await api.get("/api/v1/workouts", { as })).json.items;
    expectStatus(
      await api.patch(`/api/v1/workouts/${last.id}`, { as, body: { notes: "Mine" } }),
      200,
    );
    // The exercise that they refer to is deleted: that is no edit of theirs.
    expect((await workoutsOf(api, as)).map(({ exercises }) => exercises)).toMatchObject(
      [1, 2, 3].map(() => [{ exerciseId: press }]),
    );
    expectStatus(await api.delete(`/api/v1/exercises/${press}`, { as }), 204);
    const undo = (who: string) => api.post(`${IMPORTS}/${importId}/undo`, { as: who });
    expectProblem(await undo(stranger.as), 404, "imports.not_found");
    expect((await undo(as)).json).toEqual({ trashed: 2, kept: 1 });
    expectProblem(await undo(as), 404, "imports.not_found");
    expect((await workoutsOf(api, as)).map(({ startedAt }) => startedAt.slice(8, 10))).toEqual([
      "03",
    ]);
    expect((await api.get("/api/v1/workouts/trash", { as })).json).toHaveLength(2);
    expect((await api.get(IMPORTS, { as })).json).toMatchObject([
      { id: importId, undoneAt: expect.any(String) },
    ]);
    expect((await send(api, as, file)).json.workouts).toEqual({ added: 2, known: 1 });
  }),
);

test(
  "50,000 rows are read in two statements for every hundred workouts",
  withApi(async (api) => {
    const { as } = await makeSignedIn(api);
    const rows = Array.from({ length: 50_000 }, (_, n) => {
      const day = new Date(Date.UTC(2015, 0, 1 + Math.floor(n / 20)));
      const at = `${day.toISOString().slice(0, 10)} 17:00:00`;
      const exercise = ["Squat (Barbell)", "Deadlift (Barbell)", "Plank"][n % 3];
      return `"Day","${at}","${at}","","${exercise}",,"",${n % 20},"normal",${50 + (n % 50)},5,,,`;
    });
    const file = [HEVY_HEADER, ...rows].join("\n");
    const statements = await statementsOf(async () => {
      const { json } = await send(api, as, file);
      expect(json).toMatchObject({
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
    const first = await send(api, as, file, "timeZone=UTC", key);
    expect((await send(api, as, file, "timeZone=UTC", key)).text).toBe(first.text);
    expectProblem(
      await send(api, as, `${file}\n`, "timeZone=UTC", key),
      422,
      "idempotency.mismatch",
    );
  }),
);
