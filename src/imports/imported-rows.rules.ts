import { createHash } from "node:crypto";
import { searchForm } from "../exercises/slug.rules.ts";
import type { Format, ImportedExercise, ImportedSet, ImportedWorkout } from "./formats.rules.ts";

/** A name of an exercise as it is compared: lower case, without accents, single spaces. */
export const nameForm = (name: string): string => searchForm(name).replaceAll(/\s+/g, " ").trim();

/** The forms that a name may have in our catalog, the likeliest first: other apps write `Squat (Barbell)`. */
export function formsOf(name: string): string[] {
  const form = nameForm(name);
  const [, movement, equipment] = /^(.+?) \(([^()]+)\)$/.exec(form) ?? [];
  return movement === undefined ? [form] : [form, `${equipment} ${movement}`, `${movement} ${equipment}`];
}

/**
 * What a workout is known by when the same file, or a later one of the same app, is read again: when it began and what it
 * is called. `occurrence` counts those of one file that have both in common, from 1.
 */
export function importKey(format: Format, { startedAt, name }: ImportedWorkout, occurrence: number): string {
  return createHash("sha256")
    .update(JSON.stringify([format, startedAt, name, occurrence]))
    .digest("hex");
}

type Mode = "reps" | "time" | "distance" | "sets_only";
const METRICS = { reps: "reps", timeS: "time", distanceM: "distance" } as const;
const WORDS = { reps: "repetitions", timeS: "s", distanceM: "m" } as const;

/** What an exercise's sets are counted in: repetitions where there are any, else distance, else time. */
export function modeOf({ sets }: ImportedExercise): Mode {
  const has = (metric: keyof typeof METRICS) => sets.some((set) => set[metric] !== null);
  if (has("reps")) return "reps";
  if (has("distanceM")) return "distance";
  return has("timeS") ? "time" : "sets_only";
}

const NOTE_LENGTH = 500;

/** A set with the metric of its exercise's mode only; the others are kept as words in its note. */
export function inMode(set: ImportedSet, mode: Mode): ImportedSet {
  const kept = { ...set };
  const words: string[] = [];
  for (const [metric, wanted] of Object.entries(METRICS) as [keyof typeof METRICS, Mode][]) {
    if (wanted === mode || set[metric] === null) continue;
    words.push(`${set[metric]} ${WORDS[metric]}`);
    kept[metric] = null;
  }
  const note = [set.note, ...words].filter((part) => part !== null && part !== "").join(", ");
  return { ...kept, note: note === "" ? null : note.slice(0, NOTE_LENGTH) };
}
