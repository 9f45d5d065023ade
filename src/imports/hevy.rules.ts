import { MAX_WORKOUT_S } from "../workouts/workouts.rules.ts";
import type { ImportedSet, ImportOptions } from "./formats.rules.ts";
import { type Columns, EXERCISE_NOTES_LENGTH, type RowReader, WORKOUT_NOTES_LENGTH } from "./grouping.rules.ts";
import { ISO_TIME, instantAt, type WallTime, wallTimeOf } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";
import { type Header, nameIn, noteIn, numberIn, type Row, refuse, textIn, wholeIn } from "./rows.rules.ts";

export const HEVY_REQUIRED = ["title", "start_time", "end_time", "exercise_title", "set_type", "reps"];
export const HEVY_COLUMNS: Columns = {
  exercise: "exercise_title",
  exerciseNotes: "exercise_notes",
  workoutNotes: "description",
};

const TIMES = [
  /^(?<day>\d{1,2}) (?<month>[a-z]{3,9})\.? (?<year>\d{4}),? (?<hour>\d{1,2}):(?<minute>\d{2})(?:\s?(?<half>[ap]m))?$/i,
  /^(?<month>[a-z]{3,9})\.? (?<day>\d{1,2}), (?<year>\d{4}),? (?<hour>\d{1,2}):(?<minute>\d{2})(?:\s?(?<half>[ap]m))?$/i,
  ISO_TIME,
];
const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["normal", "working"],
  ["warmup", "warmup"],
  ["dropset", "drop"],
  ["failure", "failure"],
]);
const LAST_SUPERSET = 49;

/** Reads rows of Hevy. Its supersets count from 0, ours from 1; its sets have no notes of their own. */
export function createHevyReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);

  return (row) => {
    const type = SET_TYPES.get(textIn(row, "set_type").toLowerCase());
    if (!type) refuse(row, "set_type", "choice", `must be one of: ${[...SET_TYPES.keys()].join(", ")}`);
    const exerciseName =
      nameIn(row, "exercise_title") ?? refuse(row, "exercise_title", "required", "must not be empty");
    const superset = wholeIn(row, "superset_id", LAST_SUPERSET);
    const [reps, timeS] = [wholeIn(row, "reps", 10_000), numberIn(row, "duration_seconds", 0, 86_400)];
    const set = readSet(row, { type: type ?? "working", reps, timeS, note: null });
    const exerciseNotes = noteIn(row, "exercise_notes", EXERCISE_NOTES_LENGTH);
    const workoutNotes = noteIn(row, "description", WORKOUT_NOTES_LENGTH);
    if (row.error || exerciseName === null) return null;
    return {
      key: `${textIn(row, "start_time")}\n${textIn(row, "title")}`,
      readHead: () => readHead(row, options.timeZone),
      workoutNotes,
      exerciseName,
      exerciseNotes,
      supersetGroup: superset === null ? null : superset + 1,
      set,
    };
  };
}

function readHead(row: Row, timeZone: string) {
  const name = nameIn(row, "title");
  const start = timeIn(row, "start_time");
  const end = textIn(row, "end_time") === "" ? start : timeIn(row, "end_time");
  if (row.error || start === null || end === null) return null;
  const startedAt = instantAt(start, timeZone);
  const endedAt = endAfter(startedAt, start, end, timeZone);
  if (endedAt === null) return refuse(row, "end_time", "range", "must not be before start_time");
  if (endedAt.epochMilliseconds - startedAt.epochMilliseconds > MAX_WORKOUT_S * 1000) {
    return refuse(row, "end_time", "range", "must be at most 7 days after start_time");
  }
  return { name, startedAt: startedAt.toString(), endedAt: endedAt.toString() };
}

/**
 * The end of a workout that began at `startedAt`; null when it is before that. A time that the clocks show twice may be
 * the second, and one that they skip may turn out earlier than the start, which then is the end.
 */
function endAfter(startedAt: Temporal.Instant, start: WallTime, end: WallTime, timeZone: string) {
  const isAfter = (instant: Temporal.Instant) => Temporal.Instant.compare(instant, startedAt) >= 0;
  const candidates = [instantAt(end, timeZone), instantAt(end, timeZone, "second")];
  return candidates.find(isAfter) ?? (Temporal.PlainDateTime.compare(end, start) >= 0 ? startedAt : null);
}

const timeIn = (row: Row, column: string) =>
  wallTimeOf(textIn(row, column), TIMES) ?? refuse(row, column, "date", "must be a date and time that exist");
