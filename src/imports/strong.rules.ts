import { MAX_WORKOUT_S } from "../workouts/workouts.rules.ts";
import {
  EXERCISE_NOTES_LENGTH,
  readExerciseName,
  readInteger,
  readNotes,
  readNumber,
  readText,
  WORKOUT_NOTES_LENGTH,
  warnCell,
} from "./cells.rules.ts";
import type {
  AppFormat,
  Header,
  ImportedSet,
  ImportOptions,
  Row,
  RowReader,
} from "./formats.types.ts";
import { instantAt, type WallTime } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";

const DURATION_COLUMNS = ["duration (sec)", "duration", "workout duration"];
const durationColumnOf = ({ columns }: Header) =>
  DURATION_COLUMNS.find((column) => columns.has(column));
const DURATION =
  /^(?:(?:(?<h>\d{1,4})h)? ?(?:(?<m>\d{1,4})m(?:in)?)? ?(?:(?<s>\d{1,6})s)?|(?<only>\d{1,9}))$/;
const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["w", "warmup"],
  ["d", "drop"],
  ["f", "failure"],
]);

/**
 * Strong, both dialects: one is comma-delimited with durations like `1h 5m`, the other is
 * semicolon-delimited with durations in seconds.
 */
export const STRONG: AppFormat = {
  required: ["date", "workout name", "exercise name", "set order", "reps"],
  columns: {
    start: "date",
    name: "workout name",
    exercise: "exercise name",
    exerciseNotes: "notes",
    workoutNotes: "workout notes",
  },
  otherColumns: (header) => [
    "set order",
    "reps",
    "seconds",
    "rpe",
    "weight unit",
    "distance unit",
    durationColumnOf(header) ?? "",
  ],
  isByDay: false,
  isRestTimer: (row) => readText(row, "set order").toLowerCase() === "rest timer",
  createRowReader,
};

/**
 * Reads rows of Strong other than rest timers. A row with the set order `Note` is a note on the
 * exercise.
 */
function createRowReader(header: Header, options: ImportOptions): RowReader {
  const readMeasures = createSetReader(header, options);
  const durationColumn = durationColumnOf(header);

  return (row, start) => {
    const order = readText(row, "set order").toLowerCase();
    const isNote = order === "note";
    const exerciseNotes = isNote ? readNotes(row, "notes", EXERCISE_NOTES_LENGTH) : null;
    if (isNote && exerciseNotes === null) return null;
    const exerciseName = readExerciseName(row, "exercise name");
    if (exerciseName === null) return null;
    return {
      times: readTimes(row, start, options.timeZone, durationColumn),
      endColumn: durationColumn ?? null,
      workoutNotes: readNotes(row, "workout notes", WORKOUT_NOTES_LENGTH),
      exerciseName,
      exerciseNotes,
      supersetGroup: null,
      set: isNote ? null : readSet(row, order),
    };
  };

  function readSet(row: Row, order: string): ImportedSet {
    const type = /^\d+$/.test(order) ? "working" : SET_TYPES.get(order);
    if (!type)
      warnCell(row, "set order", "choice", "must be a number, W, D, F, Note or Rest Timer");
    const reps = readInteger(row, "reps", 10_000);
    const timeS = readNumber(row, "seconds", 0, 86_400);
    return readMeasures(row, { type: type ?? "working", reps, timeS, note: "notes" });
  }
}

function readTimes(row: Row, start: WallTime, timeZone: string, durationColumn?: string) {
  const seconds = durationColumn === undefined ? 0 : readDuration(row, durationColumn);
  const startedAt = instantAt(start, timeZone);
  return { startedAt: startedAt.toString(), endedAt: startedAt.add({ seconds }).toString() };
}

/** In seconds; 0 if the cell is empty, or invalid, which gives a warning. */
function readDuration(row: Row, column: string): number {
  const text = readText(row, column);
  if (text === "") return 0;
  const groups = DURATION.exec(text)?.groups;
  if (!groups) warnCell(row, column, "format", "must be like 1h 5m, or a number of seconds");
  const { h = 0, m = 0, s = 0, only = 0 } = groups ?? {};
  const durationS = Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(only);
  if (durationS <= MAX_WORKOUT_S) return durationS;
  warnCell(row, column, "range", "must be at most 7 days");
  return 0;
}
