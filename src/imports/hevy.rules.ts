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
import type { DateReader } from "./dates.rules.ts";
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

const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["normal", "working"],
  ["warmup", "warmup"],
  ["dropset", "drop"],
  ["failure", "failure"],
]);
const MAX_SUPERSET_ID = 49;

export const HEVY: AppFormat = {
  required: ["title", "start_time", "end_time", "exercise_title", "set_type", "reps"],
  columns: {
    start: "start_time",
    end: "end_time",
    name: "title",
    exercise: "exercise_title",
    exerciseNotes: "exercise_notes",
    workoutNotes: "description",
  },
  otherColumns: () => ["superset_id", "set_type", "reps", "duration_seconds", "rpe"],
  isByDay: false,
  isRestTimer: () => false,
  createRowReader,
};

/**
 * Reads rows of Hevy. It numbers supersets from 0, and superset groups here start at 1. Its sets
 * have no notes.
 */
function createRowReader(header: Header, options: ImportOptions, dates: DateReader): RowReader {
  const readSet = createSetReader(header, options);

  return (row, start) => {
    const exerciseName = readExerciseName(row, "exercise_title");
    if (exerciseName === null) return null;
    const type = SET_TYPES.get(readText(row, "set_type").toLowerCase());
    if (!type)
      warnCell(row, "set_type", "choice", `must be one of: ${[...SET_TYPES.keys()].join(", ")}`);
    const supersetId = readInteger(row, "superset_id", MAX_SUPERSET_ID);
    const reps = readInteger(row, "reps", 10_000);
    const timeS = readNumber(row, "duration_seconds", 0, 86_400);
    return {
      times: readTimes(row, start, options.timeZone, dates),
      endColumn: "end_time",
      workoutNotes: readNotes(row, "description", WORKOUT_NOTES_LENGTH),
      exerciseName,
      exerciseNotes: readNotes(row, "exercise_notes", EXERCISE_NOTES_LENGTH),
      supersetGroup: supersetId === null ? null : supersetId + 1,
      set: readSet(row, { type: type ?? "working", reps, timeS, note: null }),
    };
  };
}

/** A workout without a valid end ends when it starts. */
function readTimes(row: Row, start: WallTime, timeZone: string, dates: DateReader) {
  const startedAt = instantAt(start, timeZone);
  const endedAt = readEnd(row, startedAt, start, timeZone, dates) ?? startedAt;
  return { startedAt: startedAt.toString(), endedAt: endedAt.toString() };
}

function readEnd(
  row: Row,
  startedAt: Temporal.Instant,
  start: WallTime,
  timeZone: string,
  dates: DateReader,
) {
  const text = readText(row, "end_time");
  if (text === "") return null;
  const end = dates.read(text);
  if (end === null) return warnCell(row, "end_time", "date", "must be a date and time that exist");
  const endedAt = endAfter(startedAt, start, end, timeZone);
  if (endedAt === null) return warnCell(row, "end_time", "range", "must not be before start_time");
  if (endedAt.epochMilliseconds - startedAt.epochMilliseconds > MAX_WORKOUT_S * 1000) {
    return warnCell(row, "end_time", "range", "must be at most 7 days after start_time");
  }
  return endedAt;
}

/**
 * The instant at which a workout that started at `startedAt` ended; null if `end` is before
 * `start`. A local time that occurs twice means the second occurrence if the first is before the
 * start. A skipped local time may resolve to an instant before the start, which then is the end.
 */
function endAfter(startedAt: Temporal.Instant, start: WallTime, end: WallTime, timeZone: string) {
  const isAfter = (instant: Temporal.Instant) => Temporal.Instant.compare(instant, startedAt) >= 0;
  const candidates = [instantAt(end, timeZone), instantAt(end, timeZone, "second")];
  return (
    candidates.find(isAfter) ?? (Temporal.PlainDateTime.compare(end, start) >= 0 ? startedAt : null)
  );
}
