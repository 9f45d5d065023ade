import { expect, test } from "bun:test";
import { type Cells, type ExportFormat, makeExport, readExport } from "#test/app-exports.ts";

const long = (length: number) => "💪".repeat(length);
const NO_DATE = "date: must be a date and time that exist";

const rejected: [ExportFormat, Cells, code: string, message: string][] = [
  ["strong", { date: "2024-02-30 18:00:00" }, "date", NO_DATE],
  ["strong", { date: "yesterday" }, "date", NO_DATE],
  ["strong", { date: "" }, "date", NO_DATE],
  ["strong", { date: "x", duration: "1 hour" }, "date", NO_DATE],
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

test.each(rejected)(
  "a row of %s with %j is left out (%s)",
  async (format, cells, code, message) => {
    const { workouts, errors, sets } = await readExport(makeExport(format, [{}, cells, {}]));
    expect(errors).toEqual([{ row: 3, column: message.split(":")[0] as string, code, message }]);
    expect(workouts).toHaveLength(1);
    expect(sets).toHaveLength(2);
  },
);

test("values at their limits are stored unchanged", async () => {
  const cells = {
    "exercise name": long(100),
    notes: long(500),
    "workout notes": long(5000),
    rpe: "1",
    seconds: "86400",
    distance: "1000",
    "weight (kg)": "2000",
    reps: "10000",
  };
  const { errors, workouts } = await readExport(makeExport("strong", [cells]));
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

test("rows with broken quotes or a wrong number of columns are left out, and the others imported", async () => {
  const rows = [
    "2024-05-01,Bench,60,8",
    '2024-05-01,"Bench" press,60,8',
    "2024-05-01,Bench,60",
    "2024-05-01,Bench,60,8,",
    "2024-05-01,Bench,60,8,9",
    '2024-05-01,"Bench,60,8',
  ];
  const { errors, sets } = await readExport(
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

test("a workout has at most 200 exercises and 2,000 sets, and each exercise at most 500 sets", async () => {
  const exercises = Array.from({ length: 201 }, (_, n) => ({ exercise_title: `Exercise ${n}` }));
  const manyExercises = await readExport(makeExport("hevy", exercises));
  expect(manyExercises.errors).toEqual([
    {
      row: 202,
      column: "exercise_title",
      code: "too_many",
      message: "exercise_title: a workout has at most 200 exercises",
    },
  ]);
  expect(manyExercises.workouts[0]?.exercises).toHaveLength(200);

  const rows = Array.from({ length: 501 }, () => ({}));
  const longExercise = await readExport(makeExport("fitnotes", [...rows, { exercise: "Squat" }]));
  expect(longExercise.errors).toEqual([
    {
      row: 502,
      column: "exercise",
      code: "too_many",
      message: "exercise: an exercise of a workout has at most 500 sets",
    },
  ]);
  const setCounts = longExercise.workouts[0]?.exercises.map(({ sets }) => sets.length);
  expect(setCounts).toEqual([500, 1]);

  const manySets = Array.from({ length: 2001 }, (_, n) => ({
    exercise: `Exercise ${Math.floor(n / 500)}`,
  }));
  const longWorkout = await readExport(makeExport("fitnotes", manySets));
  expect(longWorkout.errors).toMatchObject([
    { row: 2002, message: "exercise: a workout has at most 2000 sets" },
  ]);
  expect(longWorkout.sets).toHaveLength(2000);
});
