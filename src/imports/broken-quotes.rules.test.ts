import { expect, test } from "bun:test";
import type { ImportedWorkout } from "./formats.types.ts";
import { openTrainingFile } from "./training-file.rules.ts";

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
  const training = await openTrainingFile(text, { timeZone: "UTC" }, async () => {});
  const events = await Array.fromAsync(training.events());
  const workouts = events.flatMap((event) =>
    "workout" in event ? [contentOf(event.workout)] : [],
  );
  return { workouts, errorCount: events.filter((event) => "error" in event).length };
}

const contentOf = (workout: ImportedWorkout) =>
  JSON.stringify(workout, (key, value) => (key === "row" ? undefined : value));

test.each(files)(
  "a quote too many or too few costs one row of a file (%s) at most, in one error",
  async (_name, rows) => {
    const file = rows.join("\n");
    const whole = (await read(file)).workouts;
    expect(whole).toHaveLength(days.length);
    for (let at = (rows[0] as string).length + 1; at < file.length; at++) {
      const [before, character, after] = [
        file.slice(0, at),
        file[at] as string,
        file.slice(at + 1),
      ];
      const broken = [`${before}"${character}${after}`, `${before}""${character}${after}`];
      if (character === '"') broken.push(before + after);
      // In place of the line break between two rows it makes them one.
      else if (character !== "\n") broken.push(`${before}"${after}`);
      for (const text of broken) {
        const { workouts, errorCount } = await read(text);
        const lostCount = whole.filter((workout) => !workouts.includes(workout)).length;
        const isKept =
          lostCount <= 1 && errorCount <= 1 && workouts.length + errorCount >= whole.length;
        expect([text.slice(at - 30, at + 10), lostCount, errorCount, isKept]).toEqual([
          text.slice(at - 30, at + 10),
          lostCount,
          errorCount,
          true,
        ]);
      }
    }
  },
);
