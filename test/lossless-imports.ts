import { expect } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "./fixtures.ts";
import { type Api, withApi } from "./harness.ts";
import { importFile, listFullWorkouts, STRONG_HEADER, sendFile } from "./imports.ts";

type Cells = Record<string, string>;
/** How a format writes a set of a day (from 0) and an exercise. */
type RowFormat = {
  header: string[];
  row: (day: number, exercise: number, weight: number, reps: number) => Cells;
};
const pad = (number: number) => String(number).padStart(2, "0");
const HEVY =
  "title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe";
const FITNOTES = "Date,Exercise,Category,Weight (kg),Reps,Distance,Distance Unit,Time,Comment";
export const FORMATS: Record<string, RowFormat> = {
  strong: {
    header: STRONG_HEADER.split(","),
    row: (day, exercise, weight, reps) => ({
      Date: `2024-03-${pad(day + 1)} 17:29:00`,
      "Workout Name": `Day ${day}`,
      Duration: "45m",
      "Exercise Name": `Zqx ${exercise}`,
      "Set Order": "1",
      "Weight (kg)": String(weight),
      Reps: String(reps),
    }),
  },
  hevy: {
    header: HEVY.split(","),
    row: (day, exercise, weight, reps) => ({
      title: `Day ${day}`,
      start_time: `${day + 1} mrt. 2024 17:29`,
      end_time: `${day + 1} mrt. 2024 18:29`,
      exercise_title: `Zqx ${exercise}`,
      set_index: "0",
      set_type: "normal",
      weight_kg: String(weight),
      reps: String(reps),
    }),
  },
  fitnotes: {
    header: FITNOTES.split(","),
    row: (day, exercise, weight, reps) => ({
      Date: `03/${pad(day + 13)}/2024`,
      Exercise: `Zqx ${exercise}`,
      Category: "Legs",
      "Weight (kg)": String(weight),
      Reps: String(reps),
    }),
  },
};

const INVALID_CELLS = [
  ...["", "0", "-1", "-20", "8.5", "8,5", "8.25", "99999", "1e9", "NaN", "x", "XL", "0:99"],
  ...["constructor", "💪", "a\nb"],
];
const SPECIAL_CHARACTERS = ['"', "a", "\n", ",", ";", "\0", "\t", "5", " "];
const replacement = fc.record({
  column: fc.nat({ max: 20 }),
  text: fc.oneof(
    fc.constantFrom(...INVALID_CELLS),
    fc.string({ unit: fc.constantFrom(...SPECIAL_CHARACTERS), maxLength: 6 }),
  ),
});
const setFields = {
  day: fc.nat({ max: 3 }),
  exercise: fc.nat({ max: 2 }),
  weight: fc.integer({ min: 1, max: 200 }),
  reps: fc.integer({ min: 1, max: 20 }),
};
const randomFile = fc.record({
  sets: fc.array(
    fc.record({ ...setFields, replacements: fc.array(replacement, { maxLength: 2 }) }),
    { minLength: 1, maxLength: 12 },
  ),
  delimiter: fc.constantFrom(",", ";", "\t"),
  lineBreak: fc.constantFrom("\n", "\r\n"),
});

const TIME_ZONES = ["UTC", "Europe/Amsterdam", "America/Los_Angeles", "Asia/Tokyo"];

type StoredSet = { reps: number | null; weight: number | null };
const listSets = async (api: Api, as: string): Promise<StoredSet[]> =>
  (await listFullWorkouts(api, as)).flatMap(({ exercises }) =>
    exercises.flatMap(({ sets }) => sets as StoredSet[]),
  );

type RandomFile = typeof randomFile extends fc.Arbitrary<infer T> ? T : never;
type WrittenRow = { line: number; text: string; valid: Cells; isChanged: boolean };

/** Rows as text, with their first lines and their cells before replacements. */
function writeRows(format: string, sets: RandomFile["sets"], delimiter: string): WrittenRow[] {
  const { header, row } = FORMATS[format] as RowFormat;
  const quote = (text: string) =>
    /[",;\t\r\n\0]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
  const rows: WrittenRow[] = [];
  let line = 2;
  for (const { day, exercise, weight, reps, replacements } of sets) {
    const valid = row(day, exercise, weight, reps);
    const cells = { ...valid };
    for (const { column, text } of replacements)
      cells[header[column % header.length] as string] = text;
    const text = header.map((column) => quote(cells[column] ?? "")).join(delimiter);
    const isChanged = header.some((name) => (cells[name] ?? "") !== (valid[name] ?? ""));
    rows.push({ line, text, valid, isChanged });
    line += text.split("\n").length;
  }
  return rows;
}

/** Checks that every row of random files with invalid cells is stored or named in the report. */
export async function expectNothingLost(format: string, numRuns: number): Promise<void> {
  const { header } = FORMATS[format] as RowFormat;
  await fc.assert(
    fc.asyncProperty(randomFile, async ({ sets, delimiter, lineBreak }) => {
      await withApi(async (api) => {
        const { as } = await makeSignedIn(api);
        const rows = writeRows(format, sets, delimiter);
        const file = [header.join(delimiter), ...rows.map(({ text }) => text)].join(lineBreak);
        const answer = await sendFile(api, as, file, "timeZone=Europe/Amsterdam");
        if (answer.status === 422) {
          // The dates are ambiguous or contradictory, so nothing is stored.
          expect(answer.json.code).toStartWith("imports.");
          expect(await listSets(api, as)).toEqual([]);
          return;
        }
        const report = answer.json;
        const stored = await listSets(api, as);
        expect(stored).toHaveLength(report.sets);
        const isBlank = ({ text }: { text: string }) =>
          text.replaceAll(delimiter, "").replaceAll('"', "").trim() === "";
        const blankCount = rows.filter(isBlank).length;
        expect(report.sets + report.errorCount + blankCount).toBe(sets.length);
        // A row that the report does not name was stored completely.
        const reported = new Set(
          [...report.errors, ...report.cells].map(({ row }: { row: number }) => row),
        );
        for (const { line, valid, isChanged } of rows) {
          if (isChanged || reported.has(line)) continue;
          const weight = Number(valid["Weight (kg)"] ?? valid.weight_kg);
          const reps = Number(valid.Reps ?? valid.reps);
          const index = stored.findIndex((set) => set.reps === reps && set.weight === weight);
          expect({ line, index }).not.toEqual({ line, index: -1 });
          stored.splice(index, 1);
        }
        for (const timeZone of TIME_ZONES) {
          expect(await importFile(api, as, file, `timeZone=${timeZone}`)).toMatchObject({
            workouts: { added: 0, known: report.workouts.added },
            differingCount: 0,
          });
        }
      })();
    }),
    { numRuns },
  );
}

/** Checks that a growing history, exported repeatedly with its days in any order, is stored once. */
export async function expectGrowthOnce(format: string, numRuns: number): Promise<void> {
  const { header, row } = FORMATS[format] as RowFormat;
  const history = fc.record({
    sets: fc.array(fc.record(setFields), { minLength: 2, maxLength: 14 }),
    exportedCounts: fc.array(fc.nat({ max: 14 }), { minLength: 1, maxLength: 3 }),
    sortKeys: fc.array(fc.nat(), { minLength: 14, maxLength: 14 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ sets, exportedCounts, sortKeys }) => {
      await withApi(async (api) => {
        const { as } = await makeSignedIn(api);
        /** The first `count` sets, days interleaved, the sets of each day in their order. */
        const exportOf = (count: number) => {
          const exported = sets.slice(0, Math.max(1, count));
          const days = exported
            .map(({ day }, index) => ({ day, key: sortKeys[index] as number }))
            .sort((a, b) => a.key - b.key);
          const queues = Map.groupBy(exported, ({ day }) => day);
          const records = days.map(({ day }) => {
            const set = queues.get(day)?.shift() as (typeof sets)[number];
            const cells = row(day, set.exercise, set.weight, set.reps);
            return header.map((column) => cells[column] ?? "");
          });
          return [header, ...records].map((record) => record.join(",")).join("\n");
        };
        const counts = exportedCounts.map((count) => Math.min(count, sets.length));
        counts.sort((a, b) => a - b).push(sets.length);
        for (const [index, count] of counts.entries()) {
          const query = `timeZone=${TIME_ZONES[index % TIME_ZONES.length]}&known=replace`;
          const report = await importFile(api, as, exportOf(count), query);
          expect([report.errorCount, report.cellCount]).toEqual([0, 0]);
          expect(report.replacedCount).toBe(report.differingCount);
          expect(await listSets(api, as)).toHaveLength(Math.max(1, count));
        }
        const sorted = (list: StoredSet[]) =>
          list.map(({ reps, weight }) => `${reps} × ${weight}`).sort();
        expect(sorted(await listSets(api, as))).toEqual(sorted(sets));
        const last = await importFile(api, as, exportOf(sets.length), "timeZone=Asia/Tokyo");
        expect(last).toMatchObject({ workouts: { added: 0 }, differingCount: 0 });
      })();
    }),
    { numRuns },
  );
}
