import { expect, test } from "bun:test";
import { readExport } from "#test/app-exports.ts";
import type { ImportedWorkout } from "./formats.types.ts";

const STRONG =
  "Date,Workout Name,Duration,Exercise Name,Set Order,Weight (kg),Reps,Distance,Seconds,Notes,Workout Notes,RPE";
const HEVY =
  '"title","start_time","end_time","description","exercise_title","superset_id","exercise_notes","set_type","weight_kg","reps"';
const days = [1, 2, 3, 4];
const files: [string, string[]][] = [
  [
    "plain",
    [STRONG, ...days.map((day) => `2025-01-0${day} 10:00:00,Push,45m,Bench,1,6${day},5,0,0,,,`)],
  ],
  [
    "notes over lines",
    [
      STRONG,
      ...days.map(
        (day) =>
          `2025-01-0${day} 10:00:00,"Pu, sh",45m,"Bench ""x""",1,6${day},5,0,0,"note\nline 2","of, all",`,
      ),
    ],
  ],
  [
    "empty lines in notes",
    [
      HEVY,
      ...days.map(
        (day) =>
          `"Day","${day} Mar 2024, 17:29","${day} Mar 2024, 18:29","a\n\nb ""q"", c","Squat",,"n ""5""","normal",6${day},5`,
      ),
    ],
  ],
];

async function read(text: string) {
  const { workouts, errors } = await readExport(text);
  return { workouts: workouts.map(contentOf), errorCount: errors.length };
}

const contentOf = (workout: ImportedWorkout) =>
  JSON.stringify(workout, (key, value) => (key === "row" ? undefined : value));

test.each(files)(
  "a quote too many or too few costs at most one row, with one error (%s)",
  async (_name, rows) => {
    const file = rows.join("\n");
    const original = (await read(file)).workouts;
    expect(original).toHaveLength(days.length);
    for (let index = (rows[0] as string).length + 1; index < file.length; index++) {
      const [before, character, after] = [
        file.slice(0, index),
        file[index] as string,
        file.slice(index + 1),
      ];
      const broken = [`${before}"${character}${after}`, `${before}""${character}${after}`];
      if (character === '"') broken.push(before + after);
      // Replacing the line break between two rows would join them.
      else if (character !== "\n") broken.push(`${before}"${after}`);
      for (const text of broken) {
        const { workouts, errorCount } = await read(text);
        const lostCount = original.filter((workout) => !workouts.includes(workout)).length;
        const isKept =
          lostCount <= 1 && errorCount <= 1 && workouts.length + errorCount >= original.length;
        expect([text.slice(index - 30, index + 10), lostCount, errorCount, isKept]).toEqual([
          text.slice(index - 30, index + 10),
          lostCount,
          errorCount,
          true,
        ]);
      }
    }
  },
);
