import { expect, test } from "bun:test";
import fc from "fast-check";
import { FORMATS, type ImportOptions, type TrainingEvent } from "./formats.types.ts";
import { openTrainingFile } from "./training-file.rules.ts";

const openFile = (text: string, options: Partial<ImportOptions> = {}) =>
  openTrainingFile(text, { timeZone: "UTC", ...options }, async () => {});
const read = async (text: string, options: Partial<ImportOptions> = {}): Promise<TrainingEvent[]> =>
  Array.fromAsync((await openFile(text, options)).events());
const setsOf = async (text: string, options: Partial<ImportOptions> = {}) => {
  const events = await read(text, options);
  expect(events.filter((event) => "error" in event)).toEqual([]);
  const workouts = events.flatMap((event) => ("workout" in event ? [event.workout] : []));
  return workouts.flatMap(({ exercises }) => exercises.flatMap(({ sets }) => sets));
};
const measuresOf = async (text: string, options: Partial<ImportOptions> = {}) =>
  (await setsOf(text, options)).map(({ weight, weightUnit, reps, distanceM }) => [
    weight,
    weightUnit,
    reps,
    distanceM,
  ]);

const STRONG =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight,Reps,Distance,Seconds,Notes,Workout Notes,RPE";

test.each([
  ["nothing", ""],
  ["line breaks only", "\r\n\n\uFEFF\n"],
  ["prose", "Dear diary, today I lifted."],
  ["another table", "date,exercise,kg,reps\n2024-05-01,Squat,100,5\n"],
  ["no header", "2024-05-01,Squat,Legs,100,5\n"],
  ["a header with faulty quotes", `"Date"x${STRONG.slice(4)}\n`],
  ["a header that is too long", `${STRONG},${"x".repeat(70_000)}\n`],
  ["weights in stone", "Date,Exercise,Category,Weight (st),Reps\n"],
  ["a unit named like an object property", "Date,Exercise,Category,Weight (constructor),Reps\n"],
  ["Strong's columns except Set Order", STRONG.replace("Set Order,", "")],
])("a file with %s has an unknown format", async (_name, text) => {
  const options = { weightUnit: "kg" } as const;
  await expect(read(text, options)).rejects.toMatchObject({
    kind: "invalid",
    reason: "imports.unknown_format",
  });
});

test.each([
  ["Strong", STRONG],
  ["FitNotes", "Date,Exercise,Category,Weight,Reps,Distance,Distance Unit,Time"],
])("a %s file without units requires weightUnit", async (_name, header) => {
  await expect(read(header)).rejects.toMatchObject({
    kind: "invalid",
    reason: "imports.unit_required",
  });
  expect(await read(header, { weightUnit: "lb" })).toEqual([]);
});

test("a header alone is a file without workouts, and the case of column names does not matter", async () => {
  const { format, events } = await openFile(STRONG.toUpperCase(), { weightUnit: "kg" });
  expect(format).toBe("strong");
  expect(await Array.fromAsync(events())).toEqual([]);
  expect(FORMATS).toEqual(["strong", "hevy", "fitnotes"]);
});

test("distances without a unit are miles if weights are in pounds, unless distanceUnit is set", async () => {
  const text = `${STRONG}\n2024-05-01 18:00:00,Run,,Run,1,0,0,5,0,,,\n`;
  const distanceWith = async (options: Partial<ImportOptions>) =>
    (await setsOf(text, options))[0]?.distanceM;
  expect(await distanceWith({ weightUnit: "kg" })).toBe(5000);
  expect(await distanceWith({ weightUnit: "lb" })).toBe(8047);
  expect(await distanceWith({ weightUnit: "lb", distanceUnit: "km" })).toBe(5000);
  expect(await distanceWith({ weightUnit: "kg", distanceUnit: "mi" })).toBe(8047);
});

test("the units of a row take precedence over the parameters", async () => {
  const header =
    "Date;Workout Name;Exercise Name;Set Order;Weight;Weight Unit;Reps;RPE;Distance;Distance Unit;Seconds;Notes;Workout Notes;Workout Duration";
  const day = '2019-01-11 12:31:54;"Leg"';
  const rows = [
    `${day};"Squat";1;102,5;kg;5;;;;0;"";"";2h 5m`,
    `${day};"Squat";2;225;lbs;5;;;;0;;;2h 5m`,
    `${day};"Squat";3;50;;5;;;;0;;;2h 5m`,
    `${day};"Run";1;0;;0;;2,5;km;900;;;2h 5m`,
    `${day};"Run";2;0;;0;;400;m;90;;;2h 5m`,
    `${day};"Run";3;0;lbs;0;;1;;480;;;2h 5m`,
  ];
  expect(await measuresOf([header, ...rows].join("\n"), { weightUnit: "kg" })).toEqual([
    [102.5, "kg", 5, null],
    [225, "lb", 5, null],
    [50, "kg", 5, null],
    [null, null, null, 2500],
    [null, null, null, 400],
    [null, null, null, 1609],
  ]);
});

test("if there is a column per unit, the first one with a value wins", async () => {
  const header =
    "Date,Exercise,Category,Weight (kg),Weight (lbs),Reps,Distance,Distance Unit,Time,Notes,Kind";
  const text = `${header}\n2024-01-15,Squat,Legs,100,220.5,5,,,,deep,wr\n2024-01-15,Squat,Legs,,225,5,,,,,wr\n`;
  expect(await measuresOf(text)).toEqual([
    [100, "kg", 5, null],
    [225, "lb", 5, null],
  ]);
  expect((await setsOf(text))[0]?.note).toBe("deep");
});

test("rest timers and empty notes do not make a workout", async () => {
  const row = (order: string, seconds: string) =>
    `2024-05-01 18:00:00,Push,1h,Bench,${order},0,0,0,${seconds},,,\n`;
  const text = `${STRONG}\n${row("Rest Timer", "90")}${row("Note", "0")}`;
  expect(await read(text, { weightUnit: "kg" })).toEqual([]);
  expect((await openFile(text, { weightUnit: "kg" })).ignored).toEqual({
    columns: [],
    restTimerCount: 1,
  });
});

test("a workout that starts in the gap of a clock change does not end before it starts", async () => {
  const text = [
    "title,start_time,end_time,exercise_title,set_type,weight_kg,reps",
    "Early,2024-03-31 02:50:00,2024-03-31 03:20:00,Squat,normal,60,8",
  ].join("\n");
  const events = await read(text, { timeZone: "Europe/Berlin" });
  expect(events[0]).toMatchObject({
    workout: { startedAt: "2024-03-31T01:50:00Z", endedAt: "2024-03-31T01:50:00Z" },
  });
});

test("50,000 rows are read in order", async () => {
  const [workoutCount, setCount] = [2500, 20];
  const rows = Array.from({ length: workoutCount }, (_, index) => {
    const day = new Date(Date.UTC(2015, 0, 1 + index)).toISOString().slice(0, 10);
    return Array.from({ length: setCount }, (_, n) => {
      const set = n + 1;
      return `${day} 18:00:00,Day ${index},1h,Lift ${Math.ceil(set / 5)},${set},${index % 300},${set},0,0,"Note\n${index}",,\n`;
    }).join("");
  });
  const file = await openFile(`${STRONG}\n${rows.join("")}`, {
    timeZone: "Europe/Berlin",
    weightUnit: "kg",
  });
  let expected = 0;
  for await (const event of file.events()) {
    if (!("workout" in event)) throw new Error(JSON.stringify(event));
    const { row, name, exercises } = event.workout;
    expect([row, name]).toEqual([2 + expected * setCount * 2, `Day ${expected}`]);
    expect(exercises.map(({ sets }) => sets.length)).toEqual([5, 5, 5, 5]);
    expected++;
  }
  expect(expected).toBe(workoutCount);
});

test("whatever cells a file contains, each row is imported or rejected, and nothing is thrown", async () => {
  const cell = fc.oneof(
    fc.constantFrom(
      "",
      "0",
      "1",
      "8",
      "-1",
      "1e9",
      "99999999999999999999",
      "2024-05-02 18:00:00",
      "2 May 2024, 18:00",
    ),
    fc.constantFrom(
      "02/05/2024",
      "2024-05-02",
      "W",
      "D",
      "dropset",
      "1h 5m",
      "0:01:30",
      "kg",
      "m",
      "constructor",
    ),
    fc.string({ unit: "binary", maxLength: 12 }),
  );
  const files: [header: string, row: string][] = [
    [STRONG, "2024-05-01 18:00:00,Push,1h,Bench,1,60,8,0,0,,,"],
    [
      "start_time,title,end_time,description,exercise_title,superset_id,set_type,weight_kg,reps,duration_seconds,rpe",
      "2024-05-01 18:00:00,Push,2024-05-01 19:00:00,,Bench,,normal,60,8,,",
    ],
    [
      "Date,Exercise,Category,Weight,Weight Unit,Reps,Distance,Distance Unit,Time,Comment",
      "2024-05-01,Bench,,60,kg,8,,,,",
    ],
  ];
  const change = fc.record({ index: fc.nat({ max: 9 }), text: cell });
  const changes = fc.array(fc.array(change, { maxLength: 3 }), { maxLength: 8 });
  await fc.assert(
    fc.asyncProperty(fc.constantFrom(...files), changes, async ([header, row], rows) => {
      const body = [[], ...rows].map((changed) => {
        const cells = row.split(",");
        for (const { index, text } of changed) cells[index] = text;
        return cells.map((text) => `"${text.replaceAll('"', '""')}"`).join(",");
      });
      const events = await read([header, ...body].join("\n"), {
        weightUnit: "kg",
        dateOrder: "dmy",
      });
      let setCount = 0;
      let errorCount = 0;
      for (const event of events) {
        if ("error" in event) errorCount++;
        if (!("workout" in event)) continue;
        const { startedAt, endedAt, exercises } = event.workout;
        expect(Date.parse(endedAt)).toBeGreaterThanOrEqual(Date.parse(startedAt));
        for (const { sets } of exercises) setCount += sets.length;
      }
      expect(setCount).toBeGreaterThan(0);
      expect(setCount + errorCount).toBe(body.length);
    }),
    { numRuns: 500 },
  );
});
