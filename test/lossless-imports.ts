import { expect } from "bun:test";
import fc from "fast-check";
import { makeSignedIn } from "./fixtures.ts";
import { type Api, withApi } from "./harness.ts";

type Cells = Record<string, string>;
/**
 * A set of day `day` (from 0) and exercise `exercise`, by columns; `measures` are good cells of it.
 */
type FormatOf = {
  header: string[];
  row: (day: number, exercise: number, weight: number, reps: number) => Cells;
};
const two = (number: number) => String(number).padStart(2, "0");
export const FORMATS: Record<string, FormatOf> = {
  strong: {
    header:
      "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE".split(
        ",",
      ),
    row: (day, exercise, weight, reps) => ({
      Date: `2024-03-${two(day + 1)} 17:29:00`,
      "Workout Name": `Day ${day}`,
      Duration: "45m",
      "Exercise Name": `Zqx ${exercise}`,
      "Set Order": "1",
      "Weight (kg)": String(weight),
      Reps: String(reps),
    }),
  },
  hevy: {
    header:
      "title,start_time,end_time,description,exercise_title,superset_id,exercise_notes,set_index,set_type,weight_kg,reps,distance_km,duration_seconds,rpe".split(
        ",",
      ),
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
    header: "Date,Exercise,Category,Weight (kg),Reps,Distance,Distance Unit,Time,Comment".split(
      ",",
    ),
    row: (day, exercise, weight, reps) => ({
      Date: `03/${two(day + 13)}/2024`,
      Exercise: `Zqx ${exercise}`,
      Category: "Legs",
      "Weight (kg)": String(weight),
      Reps: String(reps),
    }),
  },
};

const defect = fc.oneof(
  fc.constantFrom(
    "",
    "0",
    "-1",
    "-20",
    "8.5",
    "8,5",
    "8.25",
    "99999",
    "1e9",
    "NaN",
    "x",
    "XL",
    "0:99",
    "constructor",
    "💪",
    "a\nb",
  ),
  fc.string({
    unit: fc.constantFrom('"', "a", "\n", ",", ";", "\0", "\t", "5", " "),
    maxLength: 6,
  }),
);
const fileOf = fc.record({
  sets: fc.array(
    fc.record({
      day: fc.nat({ max: 3 }),
      exercise: fc.nat({ max: 2 }),
      weight: fc.integer({ min: 1, max: 200 }),
      reps: fc.integer({ min: 1, max: 20 }),
      broken: fc.array(fc.record({ column: fc.nat({ max: 20 }), text: defect }), { maxLength: 2 }),
    }),
    { minLength: 1, maxLength: 12 },
  ),
  delimiter: fc.constantFrom(",", ";", "\t"),
  lineBreak: fc.constantFrom("\n", "\r\n"),
});

const TIME_ZONES = ["UTC", "Europe/Amsterdam", "America/Los_Angeles", "Asia/Tokyo"];

async function send(api: Api, as: string, body: string, timeZone: string, query = "") {
  const headers = { "content-type": "text/csv" };
  return await api.post(`/api/v1/imports?timeZone=${timeZone}${query}`, { as, body, headers });
}

/** Sets and reps by workout, as they are stored. */
async function stored(api: Api, as: string) {
  const { items } = (await api.get("/api/v1/workouts?pageSize=100", { as })).json;
  const sets: { reps: number | null; weight: number | null; note: string | null }[] = [];
  for (const { id } of items) {
    const { exercises } = (await api.get(`/api/v1/workouts/${id}`, { as })).json;
    for (const exercise of exercises) sets.push(...exercise.sets);
  }
  return sets;
}

/**
 * That of random files of a format, with odd cells, everything is stored or named in the report.
 */
export async function expectNothingLost(name: string, numRuns: number): Promise<void> {
  const { header, row } = FORMATS[name] as FormatOf;
  await fc.assert(
    fc.asyncProperty(fileOf, async ({ sets, delimiter, lineBreak }) => {
      await withApi(async (api) => {
        const { as } = await makeSignedIn(api);
        const write = (text: string) =>
          /[",;\t\r\n\0]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
        const lines: { first: number; last: number; cells: Cells; isBroken: boolean }[] = [];
        let line = 2;
        const rows = sets.map(({ day, exercise, weight, reps, broken }) => {
          const good = row(day, exercise, weight, reps);
          const cells = { ...good };
          for (const { column, text } of broken)
            cells[header[column % header.length] as string] = text;
          const written = header.map((column) => write(cells[column] ?? "")).join(delimiter);
          const height = written.split("\n").length;
          const isBroken = header.some((column) => (cells[column] ?? "") !== (good[column] ?? ""));
          lines.push({ first: line, last: line + height - 1, cells: good, isBroken });
          line += height;
          return written;
        });
        const file = [header.join(delimiter), ...rows].join(lineBreak);
        const answer = await send(api, as, file, "Europe/Amsterdam");
        if (answer.status === 422) {
          // Its dates say different things, or nothing: nothing is kept, and the problem says
          // where.
          expect(answer.json.code).toStartWith("imports.");
          expect(await stored(api, as)).toEqual([]);
          return;
        }
        const { json } = answer;
        const setsThere = await stored(api, as);
        expect(setsThere).toHaveLength(json.sets);
        const isBlank = (at: number) =>
          (rows[at] as string).replaceAll(delimiter, "").replaceAll('"', "").trim() === "";
        const ignoredRows = rows.filter((_, at) => isBlank(at)).length;
        expect(json.sets + json.errorCount + ignoredRows).toBe(sets.length);
        // A row that is not named arrived with all that it had.
        const named = new Set(
          [...json.errors, ...json.cells].map(({ row }: { row: number }) => row),
        );
        for (const { first, cells, isBroken } of lines) {
          if (isBroken || named.has(first)) continue;
          const [weight, reps] = [
            cells["Weight (kg)"] ?? cells.weight_kg,
            cells.Reps ?? cells.reps,
          ];
          const at = setsThere.findIndex(
            (set) => set.reps === Number(reps) && set.weight === Number(weight),
          );
          expect({ first, at }).not.toEqual({ first, at: -1 });
          setsThere.splice(at, 1);
        }
        for (const timeZone of TIME_ZONES) {
          const again = await send(api, as, file, timeZone);
          expect(again.json).toMatchObject({
            workouts: { added: 0, known: json.workouts.added },
            differingCount: 0,
          });
        }
      })();
    }),
    { numRuns },
  );
}

/** That a random history which is exported as it grows, its days in any order, is stored once. */
export async function expectGrowthOnce(name: string, numRuns: number): Promise<void> {
  const { header, row } = FORMATS[name] as FormatOf;
  const set = fc.record({
    day: fc.nat({ max: 3 }),
    exercise: fc.nat({ max: 2 }),
    weight: fc.integer({ min: 1, max: 200 }),
    reps: fc.integer({ min: 1, max: 20 }),
  });
  const history = fc.record({
    sets: fc.array(set, { minLength: 2, maxLength: 14 }),
    cuts: fc.array(fc.nat({ max: 14 }), { minLength: 1, maxLength: 3 }),
    seed: fc.array(fc.nat(), { minLength: 14, maxLength: 14 }),
  });
  await fc.assert(
    fc.asyncProperty(history, async ({ sets, cuts, seed }) => {
      await withApi(async (api) => {
        const { as } = await makeSignedIn(api);
        const fileTo = (count: number) => {
          const rows = sets
            .slice(0, Math.max(1, count))
            .map(({ day, exercise, weight, reps }, at) => ({
              day,
              at,
              cells: row(day, exercise, weight, reps),
            }));
          // Days in any order and in turn; the rows of one stay in theirs.
          const places = rows
            .map(({ day }, at) => ({ day, key: seed[at] as number }))
            .sort((a, b) => a.key - b.key);
          const left = new Map<number, typeof rows>();
          for (const one of rows) left.set(one.day, [...(left.get(one.day) ?? []), one]);
          const ordered = places.map(({ day }) => left.get(day)?.shift()?.cells as Cells);
          return [header, ...ordered.map((cells) => header.map((column) => cells[column] ?? ""))]
            .map((line) => line.join(","))
            .join("\n");
        };
        let turn = 0;
        for (const count of [
          ...cuts.map((cut) => Math.min(cut, sets.length)).sort((a, b) => a - b),
          sets.length,
        ]) {
          const timeZone = TIME_ZONES[turn++ % TIME_ZONES.length] as string;
          const { json } = await send(api, as, fileTo(count), timeZone, "&known=replace");
          expect([json.errorCount, json.cellCount]).toEqual([0, 0]);
          expect(json.replacedCount).toBe(json.differingCount);
          expect(await stored(api, as)).toHaveLength(Math.max(1, count));
        }
        const bag = (given: { reps: number | null; weight: number | null }[]) =>
          given.map(({ reps, weight }) => `${reps} × ${weight}`).sort();
        expect(bag(await stored(api, as))).toEqual(bag(sets));
        expect((await send(api, as, fileTo(sets.length), "Asia/Tokyo")).json).toMatchObject({
          workouts: { added: 0 },
          differingCount: 0,
        });
      })();
    }),
    { numRuns },
  );
}
