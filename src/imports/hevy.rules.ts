import { MAX_WORKOUT_S } from "../workouts/workouts.rules.ts";
import type { DateReader } from "./dates.rules.ts";
import type { FormatReader, ImportedSet, ImportOptions } from "./formats.rules.ts";
import { EXERCISE_NOTES_LENGTH, type RowReader, WORKOUT_NOTES_LENGTH } from "./grouping.rules.ts";
import { instantAt, type WallTime } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";
import {
  type Header,
  noteCell,
  noteIn,
  numberIn,
  type Row,
  requiredNameIn,
  textIn,
  wholeIn,
} from "./rows.rules.ts";

const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["normal", "working"],
  ["warmup", "warmup"],
  ["dropset", "drop"],
  ["failure", "failure"],
]);
const LAST_SUPERSET = 49;

export const HEVY: FormatReader = {
  required: ["title", "start_time", "end_time", "exercise_title", "set_type", "reps"],
  columns: {
    start: "start_time",
    end: "end_time",
    name: "title",
    exercise: "exercise_title",
    exerciseNotes: "exercise_notes",
    workoutNotes: "description",
  },
  others: () => ["superset_id", "set_type", "reps", "duration_seconds", "rpe"],
  isByDay: false,
  isRestTimer: () => false,
  create: createReader,
};

/**
 * Reads rows of Hevy. Its supersets count from 0, ours from 1; its sets have no notes of their own.
 */
function createReader(header: Header, options: ImportOptions, dates: DateReader): RowReader {
  const readSet = createSetReader(header, options);

  return (row, start) => {
    const exerciseName = requiredNameIn(row, "exercise_title");
    if (exerciseName === null) return null;
    const type = SET_TYPES.get(textIn(row, "set_type").toLowerCase());
    if (!type)
      noteCell(row, "set_type", "choice", `must be one of: ${[...SET_TYPES.keys()].join(", ")}`);
    const superset = wholeIn(row, "superset_id", LAST_SUPERSET);
    const [reps, timeS] = [
      wholeIn(row, "reps", 10_000),
      numberIn(row, "duration_seconds", 0, 86_400),
    ];
    return {
      times: timesOf(row, start, options.timeZone, dates),
      endColumn: "end_time",
      workoutNotes: noteIn(row, "description", WORKOUT_NOTES_LENGTH),
      exerciseName,
      exerciseNotes: noteIn(row, "exercise_notes", EXERCISE_NOTES_LENGTH),
      supersetGroup: superset === null ? null : superset + 1,
      set: readSet(row, { type: type ?? "working", reps, timeS, note: null }),
    };
  };
}

/** A workout whose end says nothing ends when it starts. */
function timesOf(row: Row, start: WallTime, timeZone: string, dates: DateReader) {
  const startedAt = instantAt(start, timeZone);
  const endedAt = endOf(row, startedAt, start, timeZone, dates) ?? startedAt;
  return { startedAt: startedAt.toString(), endedAt: endedAt.toString() };
}

function endOf(
  row: Row,
  startedAt: Temporal.Instant,
  start: WallTime,
  timeZone: string,
  dates: DateReader,
) {
  const text = textIn(row, "end_time");
  if (text === "") return null;
  const end = dates.read(text);
  if (end === null) return noteCell(row, "end_time", "date", "must be a date and time that exist");
  const endedAt = endAfter(startedAt, start, end, timeZone);
  if (endedAt === null) return noteCell(row, "end_time", "range", "must not be before start_time");
  if (endedAt.epochMilliseconds - startedAt.epochMilliseconds > MAX_WORKOUT_S * 1000) {
    return noteCell(row, "end_time", "range", "must be at most 7 days after start_time");
  }
  return endedAt;
}

/**
 * The end of a workout that began at `startedAt`; null when it is before that. A time that the
 * clocks show twice may be the second, and one that they skip may turn out earlier than the start,
 * which then is the end.
 */
function endAfter(startedAt: Temporal.Instant, start: WallTime, end: WallTime, timeZone: string) {
  const isAfter = (instant: Temporal.Instant) => Temporal.Instant.compare(instant, startedAt) >= 0;
  const candidates = [instantAt(end, timeZone), instantAt(end, timeZone, "second")];
  return (
    candidates.find(isAfter) ?? (Temporal.PlainDateTime.compare(end, start) >= 0 ? startedAt : null)
  );
}
