import { expect, test } from "bun:test";
import type { ImportedWorkout, ImportOptions, RowError } from "./formats.rules.ts";
import { readTraining } from "./formats.rules.ts";

async function* oneChunk(text: string) {
  yield text;
}

async function read(text: string, options: Partial<ImportOptions> = {}) {
  const workouts: ImportedWorkout[] = [];
  const errors: RowError[] = [];
  for await (const event of readTraining(oneChunk(text), { timeZone: "UTC", ...options })) {
    if ("workout" in event) workouts.push(event.workout);
    if ("error" in event) errors.push(event.error);
  }
  return { workouts, errors, sets: workouts.flatMap(({ exercises }) => exercises.flatMap(({ sets }) => sets)) };
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
  [
    "strong",
    { date: "2025-01-01 10:00", duration: "1 hour" },
    "format",
    "duration: must be like 1h 5m, or a number of seconds",
  ],
  ["strong", { date: "2025-01-01 10:00", duration: "999h" }, "range", "duration: must be at most 7 days"],
  ["strong", { "workout name": long(101) }, "too_long", "workout name: must have at most 100 characters"],
  ["strong", { "workout name": "a\u0007b" }, "format", "workout name: must not have control characters"],
  ["strong", { "workout name": "\u200b" }, "format", "workout name: must have a character that can be seen"],
  ["strong", { "exercise name": "" }, "required", "exercise name: must not be empty"],
  ["strong", { "exercise name": long(101) }, "too_long", "exercise name: must have at most 100 characters"],
  ["strong", { "exercise name": "Ben\0ch" }, "format", "exercise name: must not have control characters"],
  ["strong", { "set order": "X" }, "choice", "set order: must be a number, W, D, F, Note or Rest Timer"],
  ["strong", { "set order": "" }, "choice", "set order: must be a number, W, D, F, Note or Rest Timer"],
  ["strong", { "weight (kg)": "-5" }, "range", "weight (kg): must be from 0 to 2000"],
  ["strong", { "weight (kg)": "2000.1" }, "range", "weight (kg): must be from 0 to 2000"],
  ["strong", { "weight (kg)": "sixty" }, "number", "weight (kg): must be a number"],
  ["strong", { "weight (kg)": "62,5" }, "number", "weight (kg): must be a number"],
  ["strong", { "weight (kg)": "1e3" }, "number", "weight (kg): must be a number"],
  ["strong", { reps: "8.5" }, "number", "reps: must be a whole number"],
  ["strong", { reps: "10001" }, "range", "reps: must be from 0 to 10000"],
  ["strong", { reps: "-1" }, "range", "reps: must be from 0 to 10000"],
  ["strong", { seconds: "86401" }, "range", "seconds: must be from 0 to 86400"],
  ["strong", { distance: "-1" }, "range", "distance: must not be negative"],
  ["strong", { distance: "1001" }, "range", "distance: must be at most 1000 km"],
  ["strong", { rpe: "0" }, "range", "rpe: must be from 1 to 10"],
  ["strong", { rpe: "10.5" }, "range", "rpe: must be from 1 to 10"],
  ["strong", { rpe: "8.25" }, "range", "rpe: must be in steps of 0.5"],
  ["strong", { notes: long(501) }, "too_long", "notes: must have at most 500 characters"],
  ["strong", { notes: "a\0b" }, "format", "notes: must not have NUL characters"],
  ["strong", { "set order": "Note", notes: long(1001) }, "too_long", "notes: must have at most 1000 characters"],
  ["strong", { "workout notes": long(5001) }, "too_long", "workout notes: must have at most 5000 characters"],
  ["hevy", { start_time: "31 Feb 2024, 18:00" }, "date", "start_time: must be a date and time that exist"],
  ["hevy", { start_time: "1 Mai 2024, 18:00" }, "date", "start_time: must be a date and time that exist"],
  [
    "hevy",
    { start_time: "2 May 2024, 18:00", end_time: "soon" },
    "date",
    "end_time: must be a date and time that exist",
  ],
  ["hevy", { start_time: "2 May 2024, 18:00" }, "range", "end_time: must not be before start_time"],
  ["hevy", { title: "a\u0007b" }, "format", "title: must not have control characters"],
  ["hevy", { exercise_title: " " }, "required", "exercise_title: must not be empty"],
  ["hevy", { set_type: "myo" }, "choice", "set_type: must be one of: normal, warmup, dropset, failure"],
  ["hevy", { superset_id: "50" }, "range", "superset_id: must be from 0 to 49"],
  ["hevy", { exercise_notes: long(1001) }, "too_long", "exercise_notes: must have at most 1000 characters"],
  ["hevy", { description: long(5001) }, "too_long", "description: must have at most 5000 characters"],
  ["fitnotes", { date: "13/13/2024" }, "date", "date: must be a day that exists"],
  ["fitnotes", { date: "2023-02-29" }, "date", "date: must be a day that exists"],
  ["fitnotes", { exercise: "" }, "required", "exercise: must not be empty"],
  ["fitnotes", { "weight unit": "st" }, "choice", "weight unit: must be one of: kg, kgs, lb, lbs"],
  ["fitnotes", { "weight unit": "constructor" }, "choice", "weight unit: must be one of: kg, kgs, lb, lbs"],
  ["fitnotes", { "weight unit": "" }, "unit", "weight: has no unit in this row"],
  [
    "fitnotes",
    { distance: "5", "distance unit": "furlong" },
    "choice",
    "distance unit: must be one of: m, meters, km, mi, miles, ft, cm",
  ],
  ["fitnotes", { time: "90 s" }, "format", "time: must be hours, minutes and seconds"],
  ["fitnotes", { time: "24:00:01" }, "range", "time: must be at most a day"],
  ["fitnotes", { comment: long(501) }, "too_long", "comment: must have at most 500 characters"],
];

test.each(refused)("a row of %s with %j is left out (%s)", async (name, cells, code, message) => {
  const { workouts, errors, sets } = await read(fileOf(name, [{}, cells, {}]));
  expect(errors).toEqual([{ row: 3, code, message }]);
  expect(workouts).toHaveLength(1);
  expect(sets).toHaveLength(2);
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

test("notes on an exercise are left out from where they are too long together", async () => {
  const notes = ["a".repeat(600), "b".repeat(399), "c"].map((text) => ({ "set order": "Note", notes: text }));
  const { errors, workouts } = await read(fileOf("strong", [{}, ...notes]));
  expect(errors).toEqual([{ row: 5, code: "too_long", message: "notes: must have at most 1000 characters" }]);
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
  const { errors, sets } = await read(["Date,Exercise,Weight (kg),Reps,Category", ...rows].join("\n"));
  expect(errors.map(({ row, code }) => [row, code])).toEqual([
    [2, "columns"],
    [3, "quotes"],
    [4, "columns"],
    [7, "quotes"],
  ]);
  expect(sets).toHaveLength(2);
});

test("a workout holds 200 exercises, and an exercise 500 sets", async () => {
  const many = Array.from({ length: 201 }, (_, at) => ({ exercise_title: `Exercise ${at}` }));
  const wide = await read(fileOf("hevy", many));
  expect(wide.errors).toEqual([
    { row: 202, code: "too_many", message: "exercise_title: a workout has at most 200 exercises" },
  ]);
  expect(wide.workouts[0]?.exercises).toHaveLength(200);

  const deep = await read(fileOf("fitnotes", [...Array.from({ length: 501 }, () => ({})), { exercise: "Squat" }]));
  expect(deep.errors).toEqual([
    { row: 502, code: "too_many", message: "exercise: an exercise of a workout has at most 500 sets" },
  ]);
  expect(deep.workouts[0]?.exercises.map(({ sets }) => sets.length)).toEqual([500, 1]);
});
