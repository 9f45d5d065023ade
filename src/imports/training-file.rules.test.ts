import { expect, test } from "bun:test";
import { readExport } from "#test/app-exports.ts";
import type { Format, ImportedSet, ImportedWorkout, ImportOptions } from "./formats.types.ts";

type ReadSet = Omit<ImportedSet, "row" | "assisted">;
type ReadWorkout = Omit<ImportedWorkout, "wallStart" | "exercises"> & {
  exercises: (Omit<ImportedWorkout["exercises"][number], "sets"> & { sets: ReadSet[] })[];
};

/** The workouts of an example file, in which all rows and cells are valid. */
async function readExample(expectedFormat: Format, name: string, options: ImportOptions) {
  const text = await Bun.file(new URL(`examples/${name}`, import.meta.url)).text();
  const { format, workouts, errors, warnings } = await readExport(text, options);
  expect(format).toBe(expectedFormat);
  expect([...errors, ...warnings]).toEqual([]);
  return workouts.map(({ wallStart: _wallStart, exercises, ...workout }) => ({
    ...workout,
    exercises: exercises.map((exercise) => ({
      ...exercise,
      sets: exercise.sets.map(({ row: _row, assisted: _assisted, ...set }) => set),
    })),
  }));
}

const EMPTY_SET: ReadSet = {
  type: "working",
  weight: null,
  weightUnit: null,
  reps: null,
  timeS: null,
  distanceM: null,
  rpe: null,
  note: null,
};
const kg = (weight: number, reps: number | null, fields: Partial<ReadSet> = {}): ReadSet => ({
  ...EMPTY_SET,
  weight,
  weightUnit: "kg",
  reps,
  ...fields,
});
const lb = (weight: number, reps: number | null, fields: Partial<ReadSet> = {}): ReadSet => ({
  ...kg(weight, reps, fields),
  weightUnit: "lb",
});
const withoutWeight = (fields: Partial<ReadSet>): ReadSet => ({ ...EMPTY_SET, ...fields });
const exercise = (
  name: string,
  sets: ReadSet[],
  fields: { notes?: string; supersetGroup?: number } = {},
) => ({ name, notes: null, supersetGroup: null, ...fields, sets });
const workout = (
  fields: Omit<ReadWorkout, "name" | "notes"> & Partial<Pick<ReadWorkout, "name" | "notes">>,
): ReadWorkout => ({ name: null, notes: null, ...fields });

test("a comma-delimited file of Strong, in pounds", async () => {
  const workouts = await readExample("strong", "strong-comma-lb.csv", {
    weightUnit: "lb",
    timeZone: "Europe/Berlin",
  });
  expect(workouts).toEqual([
    workout({
      row: 2,
      name: "Push, heavy",
      startedAt: "2023-05-14T15:32:11Z",
      endedAt: "2023-05-14T16:37:11Z",
      notes: "Slept badly.\nTwo coffees.",
      exercises: [
        exercise(
          "Bench Press (Barbell)",
          [
            lb(45, 10, { type: "warmup" }),
            lb(185, 5, { rpe: 8.5, note: "paused, slow" }),
            lb(195, 0, { type: "failure", rpe: 10 }),
          ],
          { notes: 'Grip on the "rings", feet flat' },
        ),
        exercise("Push Up", [withoutWeight({ reps: 20 })]),
        exercise("Bench Press (Barbell)", [lb(135, 12, { type: "drop" })]),
      ],
    }),
    workout({
      row: 16,
      name: "Run",
      startedAt: "2023-05-12T17:05:00Z",
      endedAt: "2023-05-12T17:50:00Z",
      exercises: [exercise("Running", [withoutWeight({ distanceM: 4989, timeS: 1500 })])],
    }),
    workout({
      row: 17,
      name: "Core",
      startedAt: "2023-05-10T04:00:00Z",
      endedAt: "2023-05-10T04:00:30Z",
      exercises: [exercise("Plank", [withoutWeight({ timeS: 30 })])],
    }),
    workout({
      row: 18,
      startedAt: "2023-05-09T04:00:00Z",
      endedAt: "2023-05-09T04:00:00Z",
      exercises: [exercise("Plank", [withoutWeight({ timeS: 40 })])],
    }),
  ]);
});

test("a semicolon-delimited file of Strong, in kilograms", async () => {
  const workouts = await readExample("strong", "strong-semicolon-kg.csv", {
    timeZone: "Europe/Berlin",
  });
  expect(workouts).toEqual([
    workout({
      row: 2,
      name: "Night; shift",
      startedAt: "2024-10-26T23:45:00Z",
      endedAt: "2024-10-27T01:15:00Z",
      notes: "Clocks turned back",
      exercises: [
        exercise(
          "Squat (Barbell)",
          [
            kg(20, 10, { type: "warmup" }),
            kg(102.5, 5, { rpe: 8.5 }),
            kg(102.5, 5, { rpe: 9, note: 'Belt, "loose"' }),
          ],
          { notes: "High bar\nHeels raised" },
        ),
        exercise("Sled Push", [kg(80, null, { type: "drop", distanceM: 20 })]),
      ],
    }),
    workout({
      row: 9,
      name: "Pull",
      startedAt: "2024-10-28T17:00:00Z",
      endedAt: "2024-10-28T18:00:00Z",
      exercises: [exercise("Pull Up", [withoutWeight({ type: "failure", reps: 8, rpe: 10 })])],
    }),
  ]);
});

test("a file of Hevy in kilograms, with English dates", async () => {
  const workouts = await readExample("hevy", "hevy-kg.csv", { timeZone: "America/New_York" });
  expect(workouts).toEqual([
    workout({
      row: 2,
      name: "Push 💪",
      startedAt: "2024-03-28T21:29:00Z",
      endedAt: "2024-03-28T22:31:00Z",
      notes: "First day\nafter the break",
      exercises: [
        exercise(
          "Bench Press (Barbell)",
          [kg(40, 10, { type: "warmup" }), kg(61.235, 8, { rpe: 8.5 })],
          { notes: "Elbows in\nPause at the chest" },
        ),
        exercise("Lateral Raise (Dumbbell)", [kg(10, 12)], { supersetGroup: 1 }),
        exercise("Triceps Pushdown", [kg(25, 12, { type: "drop" })], { supersetGroup: 1 }),
        exercise("Push Up", [withoutWeight({ type: "failure", reps: 31, rpe: 10 })]),
      ],
    }),
    workout({
      row: 14,
      name: "Legs",
      startedAt: "2024-03-25T11:00:00Z",
      endedAt: "2024-03-25T11:00:00Z",
      exercises: [exercise("Treadmill", [withoutWeight({ distanceM: 5250, timeS: 1800 })])],
    }),
  ]);
});

test("a file of Hevy in pounds, with ISO and US dates", async () => {
  const workouts = await readExample("hevy", "hevy-lb-iso.csv", { timeZone: "Europe/Berlin" });
  expect(workouts).toEqual([
    workout({
      row: 2,
      name: "Late",
      // It starts at 2:30 before the clocks go back, and ends at 2:10 after.
      startedAt: "2024-10-27T00:30:00Z",
      endedAt: "2024-10-27T01:10:00Z",
      exercises: [exercise("Deadlift (Barbell)", [lb(315, 3)])],
    }),
    workout({
      row: 3,
      name: "Carries",
      startedAt: "2024-11-03T09:00:00Z",
      endedAt: "2024-11-03T09:40:00Z",
      exercises: [
        exercise("Farmer's Walk", [lb(70, null, { distanceM: 161, timeS: 45, rpe: 7 })], {
          supersetGroup: 2,
        }),
        exercise("Plank", [withoutWeight({ timeS: 60 })], { supersetGroup: 2 }),
      ],
    }),
    workout({
      row: 5,
      name: "Abs",
      startedAt: "2026-05-15T10:26:00Z",
      endedAt: "2026-05-15T11:02:00Z",
      exercises: [exercise("Ab Crunch", [lb(175, 8)])],
    }),
  ]);
});

test("a file of FitNotes for Android", async () => {
  const workouts = await readExample("fitnotes", "fitnotes-android.csv", {
    timeZone: "Asia/Kolkata",
  });
  expect(workouts).toEqual([
    workout({
      row: 2,
      startedAt: "2024-03-26T06:30:00Z",
      endedAt: "2024-03-26T06:30:00Z",
      exercises: [
        exercise("Deadlift", [kg(140, 3, { note: "New belt, at last" }), lb(315, 2)]),
        exercise("Rowing Machine", [withoutWeight({ distanceM: 2000, timeS: 465 })]),
        exercise("Deadlift", [kg(100, 8)]),
      ],
    }),
    workout({
      row: 6,
      startedAt: "2024-03-28T06:30:00Z",
      endedAt: "2024-03-28T06:30:00Z",
      exercises: [
        exercise("Plank", [withoutWeight({ timeS: 90 })]),
        exercise("Running (Outdoor)", [withoutWeight({ distanceM: 4989, timeS: 1500 })]),
        exercise("Cycling", [withoutWeight({ distanceM: 12_500, timeS: 3723 })]),
        exercise("Sprint", [withoutWeight({ distanceM: 91 })]),
        exercise("Broad Jump", [withoutWeight({ distanceM: 2, reps: 5 })]),
      ],
    }),
  ]);
});

test("a file of FitNotes with the day before the month, and the unit in the header", async () => {
  const workouts = await readExample("fitnotes", "fitnotes-slash-dates.csv", { timeZone: "UTC" });
  expect(workouts).toEqual([
    workout({
      row: 2,
      startedAt: "2024-03-28T12:00:00Z",
      endedAt: "2024-03-28T12:00:00Z",
      exercises: [exercise("Flat Barbell Bench Press", [lb(135, 10), lb(155.5, 5)])],
    }),
    workout({
      row: 4,
      startedAt: "2024-04-01T12:00:00Z",
      endedAt: "2024-04-01T12:00:00Z",
      exercises: [exercise("Chin Up", [withoutWeight({ reps: 9 })])],
    }),
  ]);
});
