import { createHash } from "node:crypto";
import { searchForm } from "../exercises/slug.rules.ts";
import type {
  CellNote,
  Format,
  ImportedExercise,
  ImportedSet,
  ImportedWorkout,
} from "./formats.rules.ts";
import type { ImportedRows, ImportedSetRow } from "./imports.queries.ts";
import { instantAt } from "./local-time.rules.ts";
import type { NameInFile, Reading } from "./report.rules.ts";
import { cut, shownName } from "./rows.rules.ts";

const MAX_FORMER_PARTS = 50;

/** An exercise name in the form for comparison: lower case, without accents, single spaces. */
export const nameForm = (name: string): string => searchForm(name).replaceAll(/\s+/g, " ").trim();

/**
 * The forms that a name may have in the catalog, the likeliest first: other apps write `Squat
 * (Barbell)`.
 */
export function formsOf(name: string): string[] {
  const form = nameForm(name);
  const [, movement, equipment] = /^(.+?) \(([^()]+)\)$/.exec(form) ?? [];
  return movement === undefined
    ? [form]
    : [form, `${equipment} ${movement}`, `${movement} ${equipment}`];
}

/**
 * The key that identifies a workout when the same file, or a later export of the same app, is
 * imported again: its start as written in the file, and its name. Independent of the time zone of
 * the import.
 */
export const importKey = (format: Format, { wallStart, name }: ImportedWorkout): string =>
  hash(["wall", format, wallStart, name]);

/**
 * The keys of earlier versions, which contained the instant of the start: one for each of
 * `timeZones`. Rows that were not adjacent to the first ones were another workout, of the next
 * `occurrence`.
 */
export const formerKeys = (
  format: Format,
  { wallStart, name }: ImportedWorkout,
  timeZones: string[],
  occurrence = 1,
): string[] =>
  timeZones.map((timeZone) => {
    const startedAt = instantAt(Temporal.PlainDateTime.from(wallStart), timeZone).toString();
    return hash([format, startedAt, name, occurrence]);
  });

/** The keys of workouts that earlier versions made of further rows of `workout`. */
export const formerPartKeys = (
  format: Format,
  workout: ImportedWorkout,
  timeZones: string[],
): string[] =>
  Array.from({ length: MAX_FORMER_PARTS }, (_, at) =>
    formerKeys(format, workout, timeZones, at + 2),
  ).flat();

const hash = (parts: unknown[]): string =>
  createHash("sha256").update(JSON.stringify(parts)).digest("hex");

/**
 * Workouts of a file as rows to insert, and which of their notes were truncated. Counts sets by
 * name in `reading`.
 */
export function rowsOf(
  { format, names }: Reading,
  workouts: ImportedWorkout[],
): { rows: ImportedRows; cut: CellNote[] } {
  const rows: ImportedRows = { workouts: [], exercises: [], sets: [] };
  const cutNotes: CellNote[] = [];
  for (const workout of workouts) {
    const id = Bun.randomUUIDv7();
    const { name, startedAt, endedAt, notes } = workout;
    const shown = name === null ? null : shownName(name);
    rows.workouts.push({
      id,
      key: importKey(format, workout),
      name: shown,
      started_at: startedAt,
      ended_at: endedAt,
      notes,
    });
    for (const [at, exercise] of workout.exercises.entries()) {
      const known = names.get(exercise.name) as NameInFile;
      known.setCount += exercise.sets.length;
      const entryId = Bun.randomUUIDv7();
      const mode = modeOf(exercise);
      rows.exercises.push({
        id: entryId,
        workout_id: id,
        position: at + 1,
        exercise_id: known.meant?.exerciseId ?? null,
        exercise_name: known.meant?.exerciseName ?? shownName(exercise.name) ?? exercise.name,
        file_name: exercise.name,
        mode,
        superset_group: exercise.supersetGroup,
        notes: exercise.notes,
      });
      for (const [n, given] of exercise.sets.entries()) {
        const { set, cut: isCut } = inMode(given, mode);
        if (isCut) cutNotes.push(isCut);
        rows.sets.push(setRow(entryId, mode, n + 1, set));
      }
    }
  }
  return { rows, cut: cutNotes };
}

const setRow = (
  entryId: string,
  mode: Mode,
  position: number,
  set: ImportedSet,
): ImportedSetRow => ({
  workout_exercise_id: entryId,
  mode,
  position,
  type: set.type,
  weight: set.weight,
  weight_unit: set.weightUnit,
  reps: set.reps,
  time_s: set.timeS,
  distance_m: set.distanceM,
  rpe: set.rpe,
  note: set.note,
});

type Mode = "reps" | "time" | "distance" | "sets_only";
const METRICS = { reps: "reps", timeS: "time", distanceM: "distance" } as const;
const WORDS = { reps: "repetitions", timeS: "s", distanceM: "m" } as const;

/** The metric of an exercise's sets: repetitions if there are any, else distance, else time. */
export function modeOf({ sets }: ImportedExercise): Mode {
  const has = (metric: keyof typeof METRICS) => sets.some((set) => set[metric] !== null);
  if (has("reps")) return "reps";
  if (has("distanceM")) return "distance";
  return has("timeS") ? "time" : "sets_only";
}

const NOTE_LENGTH = 500;

/**
 * A set with only the metric of its exercise's mode; the others, and assistance, are appended to
 * its note. `cut` is a note on the cell if that truncated it, else null.
 */
export function inMode(set: ImportedSet, mode: Mode): { set: ImportedSet; cut: CellNote | null } {
  const kept = { ...set };
  const words: string[] = set.assisted === null ? [] : [set.assisted];
  for (const [metric, wanted] of Object.entries(METRICS) as [keyof typeof METRICS, Mode][]) {
    if (wanted === mode || set[metric] === null) continue;
    words.push(`${set[metric]} ${WORDS[metric]}`);
    kept[metric] = null;
  }
  const room = NOTE_LENGTH - words.reduce((length, word) => length + word.length + 2, 0);
  const given = set.note === null ? "" : cut(set.note, words.length === 0 ? NOTE_LENGTH : room);
  const note = [given, ...words].filter((part) => part !== "").join(", ");
  const message = `the note of the set is kept up to ${room} characters, for what else stands in it`;
  return {
    set: { ...kept, note: note === "" ? null : note },
    cut:
      given === (set.note ?? "")
        ? null
        : { row: set.row, column: "notes", code: "too_long", message },
  };
}
