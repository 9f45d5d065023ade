import { expect, test } from "bun:test";
import { type ExportFormat, makeExport, readExport } from "#test/app-exports.ts";

type WarningCase = [
  column: string,
  value: string,
  code: string,
  message: string,
  expectedSet?: object,
];

const long = (length: number) => "💪".repeat(length);
const NO_WEIGHT = { weight: null, reps: 8 };
/** Invalid cells. The expected set has a weight of 60 kg unless another is given. */
const CASES: Record<ExportFormat, WarningCase[]> = {
  strong: [
    ["duration", "1 hour", "format", "must be like 1h 5m, or a number of seconds"],
    ["duration", "999h", "range", "must be at most 7 days"],
    ["set order", "X", "choice", "must be a number, W, D, F, Note or Rest Timer"],
    ["set order", "", "choice", "must be a number, W, D, F, Note or Rest Timer"],
    ["weight (kg)", "2000.1", "range", "must be from -2000 to 2000", NO_WEIGHT],
    ["weight (kg)", "sixty", "number", "must be a number", NO_WEIGHT],
    ["weight (kg)", "1,250", "number", "must be a number", NO_WEIGHT],
    ["weight (kg)", "1e3", "number", "must be a number", NO_WEIGHT],
    ["reps", "8.5", "number", "must be a whole number", { weight: 60, reps: null }],
    ["reps", "10001", "range", "must be from 0 to 10000", { weight: 60, reps: null }],
    ["reps", "-1", "range", "must be from 0 to 10000", { weight: 60, reps: null }],
    ["seconds", "86401", "range", "must be from 0 to 86400", { weight: 60, timeS: null }],
    ["distance", "-1", "range", "must not be negative", { weight: 60, distanceM: null }],
    ["distance", "1001", "range", "must be at most 1000 km", { weight: 60, distanceM: null }],
    ["distance", "0.0001", "range", "must be at least half a metre", { distanceM: null }],
    ["rpe", "0", "range", "must be from 1 to 10", { weight: 60, rpe: null }],
    ["rpe", "10.5", "range", "must be from 1 to 10", { weight: 60, rpe: null }],
    ["rpe", "8.25", "range", "must be in steps of 0.5", { weight: 60, rpe: null }],
    ["notes", long(501), "too_long", "is kept up to 500 characters", { note: long(500) }],
    ["notes", "a\0b", "format", "is kept without NUL characters", { note: "ab" }],
    ["workout notes", long(5001), "too_long", "is kept up to 5000 characters"],
  ],
  hevy: [
    ["end_time", "soon", "date", "must be a date and time that exist"],
    ["end_time", "1 May 2024, 17:00", "range", "must not be before start_time"],
    ["end_time", "9 May 2024, 17:00", "range", "must be at most 7 days after start_time"],
    ["set_type", "myo", "choice", "must be one of: normal, warmup, dropset, failure"],
    ["superset_id", "50", "range", "must be from 0 to 49"],
    ["exercise_notes", long(1001), "too_long", "is kept up to 1000 characters"],
    ["description", long(5001), "too_long", "is kept up to 5000 characters"],
  ],
  fitnotes: [
    ["weight unit", "st", "choice", "must be one of: kg, kgs, ", NO_WEIGHT],
    ["weight unit", "constructor", "choice", "must be one of: ", NO_WEIGHT],
    ["time", "90 s", "format", "must be hours, minutes and seconds"],
    ["time", "24:00:01", "range", "must be at most a day"],
    ["comment", long(501), "too_long", "is kept up to 500 characters", { note: long(500) }],
  ],
};
const flatCases = Object.entries(CASES).flatMap(([format, cases]) =>
  cases.map(([column, value, ...expected]) => ({
    title: `${format}: ${column} ${JSON.stringify(value.slice(0, 20))}`,
    format: format as ExportFormat,
    column,
    cells: { [column]: value },
    expected,
  })),
);
flatCases.push({
  title: "fitnotes: distance unit furlong",
  format: "fitnotes",
  column: "distance unit",
  cells: { distance: "5", "distance unit": "furlong" },
  expected: ["choice", "must be one of: m, "],
});

test.each(flatCases)(
  "an invalid cell gives a warning, and the rest of its set is imported ($title)",
  async ({ format, column, cells, expected }) => {
    const [code, message, set = { weight: 60, weightUnit: "kg" }] = expected;
    const { errors, warnings, sets } = await readExport(makeExport(format, [{}, cells, {}]));
    expect(errors).toEqual([]);
    expect(warnings).toEqual([{ row: 3, column, code, message: expect.any(String) }]);
    expect(warnings[0]?.message).toStartWith(`${column}: ${message}`);
    expect(sets).toHaveLength(3);
    expect(sets[1]).toMatchObject(set);
  },
);

test.each([
  [long(101), "too_long", long(100)],
  ["a\u0007b", "format", "a b"],
  ["\u200b", "format", null],
])("an invalid workout name %p is truncated, cleaned or left out", async (name, code, stored) => {
  for (const [format, column] of [
    ["strong", "workout name"],
    ["hevy", "title"],
  ] as const) {
    const file = makeExport(format, [{ [column]: name }]);
    const { workouts, errors, warnings } = await readExport(file);
    expect(errors).toEqual([]);
    expect(warnings).toMatchObject([{ row: 2, column, code }]);
    expect(workouts).toMatchObject([{ name: stored }]);
  }
});

test("a weight below 0 is assistance, which is stored with the set", async () => {
  for (const [format, column] of [
    ["strong", "weight (kg)"],
    ["hevy", "weight_kg"],
    ["fitnotes", "weight"],
  ] as const) {
    const { errors, warnings, sets } = await readExport(
      makeExport(format, [{ [column]: "-22.5" }, { [column]: "\u221220", reps: "0" }]),
    );
    expect(errors).toEqual([]);
    expect(warnings.map(({ row, code }) => [row, code])).toEqual([
      [2, "assisted"],
      [3, "assisted"],
    ]);
    expect(sets).toMatchObject([
      { weight: null, weightUnit: null, assisted: "assisted 22.5 kg", reps: 8 },
      { weight: null, assisted: "assisted 20 kg", reps: 0 },
    ]);
  }
});

test("numbers may have a decimal comma, distances may be in yards, and times in plain seconds", async () => {
  const { warnings, errors, sets } = await readExport(
    makeExport("fitnotes", [
      { weight: "72,5" },
      { distance: "500", "distance unit": "yd", time: "65.5" },
    ]),
  );
  expect([...errors, ...warnings]).toEqual([]);
  expect(sets).toMatchObject([{ weight: 72.5 }, { distanceM: 457, timeS: 66 }]);
});

test("if rows of a workout have different ends, the latest wins, and the report says so", async () => {
  const rows = [{}, { end_time: "1 May 2024, 20:30" }, { end_time: "" }, { superset_id: "1" }];
  const { workouts, warnings } = await readExport(makeExport("hevy", rows));
  expect(workouts).toMatchObject([{ endedAt: "2024-05-01T20:30:00Z" }]);
  expect(warnings.map(({ row, column, code }) => [row, column, code])).toEqual([
    [3, "end_time", "differs"],
    [5, "end_time", "differs"],
    [5, "superset_id", "differs"],
  ]);
});

test("notes on an exercise are truncated if they are too long together", async () => {
  const notes = ["a".repeat(600), "b".repeat(399), "c"].map((text) => ({
    "set order": "Note",
    notes: text,
  }));
  const { warnings, workouts } = await readExport(makeExport("strong", [{}, ...notes]));
  const message = "notes: is kept up to 1000 characters together";
  expect(warnings).toEqual([{ row: 5, column: "notes", code: "too_long", message }]);
  expect(workouts[0]?.exercises[0]?.notes).toBe(`${"a".repeat(600)}\n${"b".repeat(399)}`);
});
