import { MAX_WORKOUT_S } from "../workouts/workouts.rules.ts";
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

const DURATION_COLUMNS = ["duration (sec)", "duration", "workout duration"];
const durationOf = ({ columns }: Header) => DURATION_COLUMNS.find((column) => columns.has(column));
const DURATION =
  /^(?:(?:(?<h>\d{1,4})h)? ?(?:(?<m>\d{1,4})m(?:in)?)? ?(?:(?<s>\d{1,6})s)?|(?<only>\d{1,9}))$/;
const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["w", "warmup"],
  ["d", "drop"],
  ["f", "failure"],
]);

/**
 * Strong, both dialects: one has commas and durations like `1h 5m`, the other semicolons and
 * durations in seconds.
 */
export const STRONG: FormatReader = {
  required: ["date", "workout name", "exercise name", "set order", "reps"],
  columns: {
    start: "date",
    name: "workout name",
    exercise: "exercise name",
    exerciseNotes: "notes",
    workoutNotes: "workout notes",
  },
  others: (header) => [
    "set order",
    "reps",
    "seconds",
    "rpe",
    "weight unit",
    "distance unit",
    durationOf(header) ?? "",
  ],
  isByDay: false,
  isRestTimer: (row) => textIn(row, "set order").toLowerCase() === "rest timer",
  create: createReader,
};

/**
 * Reads rows of Strong, whose rest timers were left out before; a row of order `Note` is a note on
 * the exercise.
 */
function createReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);
  const duration = durationOf(header);

  return (row, start) => {
    const order = textIn(row, "set order").toLowerCase();
    const isNote = order === "note";
    const exerciseNotes = isNote ? noteIn(row, "notes", EXERCISE_NOTES_LENGTH) : null;
    if (isNote && exerciseNotes === null) return null;
    const exerciseName = requiredNameIn(row, "exercise name");
    if (exerciseName === null) return null;
    return {
      times: timesOf(row, start, options.timeZone, duration),
      endColumn: duration ?? null,
      workoutNotes: noteIn(row, "workout notes", WORKOUT_NOTES_LENGTH),
      exerciseName,
      exerciseNotes,
      supersetGroup: null,
      set: isNote ? null : readMeasured(row, order),
    };
  };

  function readMeasured(row: Row, order: string): ImportedSet {
    const type = /^\d+$/.test(order) ? "working" : SET_TYPES.get(order);
    if (!type)
      noteCell(row, "set order", "choice", "must be a number, W, D, F, Note or Rest Timer");
    const [reps, timeS] = [wholeIn(row, "reps", 10_000), numberIn(row, "seconds", 0, 86_400)];
    return readSet(row, { type: type ?? "working", reps, timeS, note: "notes" });
  }
}

function timesOf(row: Row, start: WallTime, timeZone: string, duration: string | undefined) {
  const durationS = duration === undefined ? 0 : durationIn(row, duration);
  const startedAt = instantAt(start, timeZone);
  return {
    startedAt: startedAt.toString(),
    endedAt: startedAt.add({ seconds: durationS }).toString(),
  };
}

/** In seconds; 0 when the cell is empty, and with a note when it says nothing. */
function durationIn(row: Row, column: string): number {
  const text = textIn(row, column);
  if (text === "") return 0;
  const groups = DURATION.exec(text)?.groups;
  if (!groups) noteCell(row, column, "format", "must be like 1h 5m, or a number of seconds");
  const { h = 0, m = 0, s = 0, only = 0 } = groups ?? {};
  const durationS = Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(only);
  return durationS <= MAX_WORKOUT_S
    ? durationS
    : (noteCell(row, column, "range", "must be at most 7 days") ?? 0);
}
