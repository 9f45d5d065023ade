import { expect, test } from "bun:test";
import type { CellWarning, ImportedWorkout, ImportOptions, RowError } from "./formats.types.ts";
import { openTrainingFile } from "./training-file.rules.ts";

async function read(text: string, options: Partial<ImportOptions> = {}) {
  const workouts: ImportedWorkout[] = [];
  const errors: RowError[] = [];
  const warnings: CellWarning[] = [];
  const training = await openTrainingFile(text, { timeZone: "UTC", ...options }, async () => {});
  for await (const event of training.events()) {
    if ("workout" in event) workouts.push(event.workout);
    if ("error" in event) errors.push(event.error);
    if ("warning" in event) warnings.push(event.warning);
  }
  const sets = workouts.flatMap(({ exercises }) => exercises.flatMap(({ sets }) => sets));
  return { workouts, errors, warnings, sets };
}

/** A good row of each format, and how to write it with some cells changed. */
const good = {
  strong: {
    date: "2024-05-01 18:00:00",
    "workout name": "Push",
    duration: "1h",
    "exercise name": "Bench",
    "set order": "1",
    "weight (kg)": "60",
    reps: "8",
    distance: "",
    seconds: "",
    notes: "",
    "workout notes": "",
    rpe: "",
  },
  hevy: {
    title: "Push",
    start_time: "1 May 2024, 18:00",
    end_time: "1 May 2024, 19:00",
    description: "",
    exercise_title: "Bench",
    superset_id: "",
    exercise_notes: "",
    set_index: "0",
    set_type: "normal",
    weight_kg: "60",
    reps: "8",
    distance_km: "",
    duration_seconds: "",
    rpe: "",
  },
  fitnotes: {
    date: "2024-05-01",
    exercise: "Bench",
    category: "Chest",
    weight: "60",
    "weight unit": "kgs",
    reps: "8",
    distance: "",
    "distance unit": "",
    time: "",
    comment: "",
  },
};
type Name = keyof typeof good;
type Cells = Record<string, string>;

/** A file with a row for each of `changes`. */
function fileOf(name: Name, changes: Cells[], delimiter = ","): string {
  const header = Object.keys(good[name]);
  const write = (cell: string) => `"${cell.replaceAll('"', '""')}"`;
  const rows = changes.map((cells) => Object.values({ ...good[name], ...cells }));
  return [header, ...rows].map((row) => row.map(write).join(delimiter)).join("\n");
}

const long = (length: number) => "💪".repeat(length);

const refused: [Name, Cells, string, string][] = [
  ["strong", { date: "2024-02-30 18:00:00" }, "date", "date: must be a date and time that exist"],
  ["strong", { date: "yesterday" }, "date", "date: must be a date and time that exist"],
  ["strong", { date: "" }, "date", "date: must be a date and time that exist"],
  ["strong", { date: "x", duration: "1 hour" }, "date", "date: must be a date and time that exist"],
  ["strong", { "exercise name": "" }, "required", "exercise name: must not be empty"],
  [
    "strong",
    { "exercise name": long(101) },
    "too_long",
    "exercise name: must have at most 100 characters",
  ],
  [
    "strong",
    { "exercise name": "Ben\0ch" },
    "format",
    "exercise name: must not have control characters",
  ],
  [
    "hevy",
    { start_time: "31 Feb 2024, 18:00" },
    "date",
    "start_time: must be a date and time that exist",
  ],
  ["hevy", { exercise_title: " " }, "required", "exercise_title: must not be empty"],
  ["fitnotes", { date: "13/13/2024" }, "date", "date: must be a day that exists"],
  ["fitnotes", { date: "2023-02-29" }, "date", "date: must be a day that exists"],
  ["fitnotes", { exercise: "" }, "required", "exercise: must not be empty"],
];

test.each(refused)("a row of %s with %j is left out (%s)", async (name, cells, code, message) => {
  const { workouts, errors, sets } = await read(fileOf(name, [{}, cells, {}]));
  expect(errors).toEqual([{ row: 3, column: message.split(":")[0] as string, code, message }]);
  expect(workouts).toHaveLength(1);
  expect(sets).toHaveLength(2);
});

const KG = { weight: 60, weightUnit: "kg" } as const;
const left: [Name, Cells, string, string, object][] = [
  [
    "strong",
    { duration: "1 hour" },
    "format",
    "duration: must be like 1h 5m, or a number of seconds",
    KG,
  ],
  ["strong", { duration: "999h" }, "range", "duration: must be at most 7 days", KG],
  [
    "strong",
    { "set order": "X" },
    "choice",
    "set order: must be a number, W, D, F, Note or Rest Timer",
    KG,
  ],
  [
    "strong",
    { "set order": "" },
    "choice",
    "set order: must be a number, W, D, F, Note or Rest Timer",
    KG,
  ],
  [
    "strong",
    { "weight (kg)": "2000.1" },
    "range",
    "weight (kg): must be from -2000 to 2000",
    { weight: null, reps: 8 },
  ],
  [
    "strong",
    { "weight (kg)": "sixty" },
    "number",
    "weight (kg): must be a number",
    { weight: null, reps: 8 },
  ],
  [
    "strong",
    { "weight (kg)": "1,250" },
    "number",
    "weight (kg): must be a number",
    { weight: null, reps: 8 },
  ],
  [
    "strong",
    { "weight (kg)": "1e3" },
    "number",
    "weight (kg): must be a number",
    { weight: null, reps: 8 },
  ],
  ["strong", { reps: "8.5" }, "number", "reps: must be a whole number", { ...KG, reps: null }],
  ["strong", { reps: "10001" }, "range", "reps: must be from 0 to 10000", { ...KG, reps: null }],
  ["strong", { reps: "-1" }, "range", "reps: must be from 0 to 10000", { ...KG, reps: null }],
  [
    "strong",
    { seconds: "86401" },
    "range",
    "seconds: must be from 0 to 86400",
    { ...KG, timeS: null },
  ],
  [
    "strong",
    { distance: "-1" },
    "range",
    "distance: must not be negative",
    { ...KG, distanceM: null },
  ],
  [
    "strong",
    { distance: "1001" },
    "range",
    "distance: must be at most 1000 km",
    { ...KG, distanceM: null },
  ],
  [
    "strong",
    { distance: "0.0001" },
    "range",
    "distance: must be at least half a metre",
    { ...KG, distanceM: null },
  ],
  ["strong", { rpe: "0" }, "range", "rpe: must be from 1 to 10", { ...KG, rpe: null }],
  ["strong", { rpe: "10.5" }, "range", "rpe: must be from 1 to 10", { ...KG, rpe: null }],
  ["strong", { rpe: "8.25" }, "range", "rpe: must be in steps of 0.5", { ...KG, rpe: null }],
  [
    "strong",
    { notes: long(501) },
    "too_long",
    "notes: is kept up to 500 characters",
    { note: long(500) },
  ],
  ["strong", { notes: "a\0b" }, "format", "notes: is kept without NUL characters", { note: "ab" }],
  [
    "strong",
    { "workout notes": long(5001) },
    "too_long",
    "workout notes: is kept up to 5000 characters",
    KG,
  ],
  ["hevy", { end_time: "soon" }, "date", "end_time: must be a date and time that exist", KG],
  [
    "hevy",
    { end_time: "1 May 2024, 17:00" },
    "range",
    "end_time: must not be before start_time",
    KG,
  ],
  [
    "hevy",
    { end_time: "9 May 2024, 17:00" },
    "range",
    "end_time: must be at most 7 days after start_time",
    KG,
  ],
  [
    "hevy",
    { set_type: "myo" },
    "choice",
    "set_type: must be one of: normal, warmup, dropset, failure",
    KG,
  ],
  ["hevy", { superset_id: "50" }, "range", "superset_id: must be from 0 to 49", KG],
  [
    "hevy",
    { exercise_notes: long(1001) },
    "too_long",
    "exercise_notes: is kept up to 1000 characters",
    KG,
  ],
  [
    "hevy",
    { description: long(5001) },
    "too_long",
    "description: is kept up to 5000 characters",
    KG,
  ],
  [
    "fitnotes",
    { "weight unit": "st" },
    "choice",
    "weight unit: must be one of: kg, kgs, ",
    { weight: null, reps: 8 },
  ],
  [
    "fitnotes",
    { "weight unit": "constructor" },
    "choice",
    "weight unit: must be one of: ",
    { weight: null, reps: 8 },
  ],
  [
    "fitnotes",
    { distance: "5", "distance unit": "furlong" },
    "choice",
    "distance unit: must be one of: m, ",
    KG,
  ],
  ["fitnotes", { time: "90 s" }, "format", "time: must be hours, minutes and seconds", KG],
  ["fitnotes", { time: "24:00:01" }, "range", "time: must be at most a day", KG],
  [
    "fitnotes",
    { comment: long(501) },
    "too_long",
    "comment: is kept up to 500 characters",
    { note: long(500) },
  ],
];

test.each(left)(
  "a cell of %s that is %j costs itself, and its set arrives (%s)",
  async (name, cells, code, message, set) => {
    const { errors, warnings, sets } = await read(fileOf(name, [{}, cells, {}]));
    expect(errors).toEqual([]);
    expect(warnings).toEqual([
      { row: 3, column: message.split(":")[0] as string, code, message: expect.any(String) },
    ]);
    expect(warnings[0]?.message).toStartWith(message);
    expect(sets).toHaveLength(3);
    expect(sets[1]).toMatchObject(set);
  },
);

test.each([
  [long(101), "too_long", long(100)],
  ["a\u0007b", "format", "a b"],
  ["\u200b", "format", null],
])("of a workout's name %p is kept what can be", async (name, code, kept) => {
  for (const [format, column] of [
    ["strong", "workout name"],
    ["hevy", "title"],
  ] as const) {
    const { workouts, errors, warnings } = await read(fileOf(format, [{ [column]: name }]));
    expect(errors).toEqual([]);
    expect(warnings).toMatchObject([{ row: 2, column, code }]);
    expect(workouts).toMatchObject([{ name: kept }]);
  }
});

test("a weight below 0 is assistance, which is stored with the set", async () => {
  for (const [name, column] of [
    ["strong", "weight (kg)"],
    ["hevy", "weight_kg"],
    ["fitnotes", "weight"],
  ] as const) {
    const { errors, warnings, sets } = await read(
      fileOf(name, [{ [column]: "-22.5" }, { [column]: "\u221220", reps: "0" }]),
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

test("numbers are read as they are written: with a decimal comma, in yards, in plain seconds", async () => {
  const { warnings, errors, sets } = await read(
    fileOf("fitnotes", [
      { weight: "72,5" },
      { distance: "500", "distance unit": "yd", time: "65.5" },
    ]),
  );
  expect([...errors, ...warnings]).toEqual([]);
  expect(sets).toMatchObject([{ weight: 72.5 }, { distanceM: 457, timeS: 66 }]);
});

test("if rows of a workout have different ends, the latest wins, and the report says so", async () => {
  const rows = [{}, { end_time: "1 May 2024, 20:30" }, { end_time: "" }, { superset_id: "1" }];
  const { workouts, warnings } = await read(fileOf("hevy", rows));
  expect(workouts).toMatchObject([{ endedAt: "2024-05-01T20:30:00Z" }]);
  expect(warnings.map(({ row, column, code }) => [row, column, code])).toEqual([
    [3, "end_time", "differs"],
    [5, "end_time", "differs"],
    [5, "superset_id", "differs"],
  ]);
});

test("what just fits is taken as it is", async () => {
  const cells = {
    "exercise name": long(100),
    notes: long(500),
    "workout notes": long(5000),
    rpe: "1",
    seconds: "86400",
  };
  const { errors, workouts } = await read(
    fileOf("strong", [{ ...cells, distance: "1000", "weight (kg)": "2000", reps: "10000" }]),
  );
  expect(errors).toEqual([]);
  expect(workouts[0]?.notes).toBe(long(5000));
  expect(workouts[0]?.exercises[0]?.name).toBe(long(100));
  expect(workouts[0]?.exercises[0]?.sets).toEqual([
    {
      row: 2,
      assisted: null,
      type: "working",
      weight: 2000,
      weightUnit: "kg",
      reps: 10_000,
      timeS: 86_400,
      distanceM: 1_000_000,
      rpe: 1,
      note: long(500),
    },
  ]);
});

test("notes on an exercise are truncated if they are too long together", async () => {
  const notes = ["a".repeat(600), "b".repeat(399), "c"].map((text) => ({
    "set order": "Note",
    notes: text,
  }));
  const { warnings, workouts } = await read(fileOf("strong", [{}, ...notes]));
  expect(warnings).toEqual([
    {
      row: 5,
      column: "notes",
      code: "too_long",
      message: "notes: is kept up to 1000 characters together",
    },
  ]);
  expect(workouts[0]?.exercises[0]?.notes).toBe(`${"a".repeat(600)}\n${"b".repeat(399)}`);
});

test("a file with rows that are no CSV, or of another width, gives the other rows", async () => {
  const rows = [
    "2024-05-01,Bench,60,8",
    '2024-05-01,"Bench" press,60,8',
    "2024-05-01,Bench,60",
    "2024-05-01,Bench,60,8,",
    "2024-05-01,Bench,60,8,9",
    '2024-05-01,"Bench,60,8',
  ];
  const { errors, sets } = await read(
    ["Date,Exercise,Weight (kg),Reps,Category", ...rows].join("\n"),
  );
  expect(errors.map(({ row, code }) => [row, code])).toEqual([
    [2, "columns"],
    [3, "quotes"],
    [4, "columns"],
    [7, "quotes"],
  ]);
  expect(sets).toHaveLength(2);
});

test("a workout holds 200 exercises and 2,000 sets, and an exercise 500 of these", async () => {
  const many = Array.from({ length: 201 }, (_, at) => ({ exercise_title: `Exercise ${at}` }));
  const wide = await read(fileOf("hevy", many));
  expect(wide.errors).toEqual([
    {
      row: 202,
      column: "exercise_title",
      code: "too_many",
      message: "exercise_title: a workout has at most 200 exercises",
    },
  ]);
  expect(wide.workouts[0]?.exercises).toHaveLength(200);

  const deep = await read(
    fileOf("fitnotes", [...Array.from({ length: 501 }, () => ({})), { exercise: "Squat" }]),
  );
  expect(deep.errors).toEqual([
    {
      row: 502,
      column: "exercise",
      code: "too_many",
      message: "exercise: an exercise of a workout has at most 500 sets",
    },
  ]);
  expect(deep.workouts[0]?.exercises.map(({ sets }) => sets.length)).toEqual([500, 1]);

  const rows = Array.from({ length: 2001 }, (_, at) => ({
    exercise: `Exercise ${Math.floor(at / 500)}`,
  }));
  const large = await read(fileOf("fitnotes", rows));
  expect(large.errors).toMatchObject([
    { row: 2002, message: "exercise: a workout has at most 2000 sets" },
  ]);
  expect(large.sets).toHaveLength(2000);
});
