import { readExerciseName, readInteger, readText, warnCell } from "./cells.rules.ts";
import type { AppFormat, Header, ImportOptions, Row, RowReader } from "./formats.types.ts";
import { instantAt } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";

/**
 * FitNotes has no notes on workouts and exercises. Its categories are not read, because exercises
 * here have their own.
 */
export const FITNOTES: AppFormat = {
  required: ["date", "exercise", "category", "reps"],
  columns: { start: "date", exercise: "exercise", exerciseNotes: "", workoutNotes: "" },
  otherColumns: (header) => ["weight unit", "reps", "distance unit", "time", noteColumn(header)],
  isByDay: true,
  isRestTimer: () => false,
  createRowReader,
};

const noteColumn = ({ columns }: Header) => (columns.has("comment") ? "comment" : "notes");
const TIME =
  /^(?:(?:(?<h>\d{1,3}):)?(?<m>\d{1,2}):(?<s>[0-5]?\d(?:[.,]\d+)?)|(?<only>\d{1,5}(?:[.,]\d+)?))$/;
const MAX_TIME_S = 86_400;

/**
 * Reads rows of FitNotes, which stores days without a time of day: a workout starts and ends at
 * noon.
 */
function createRowReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);
  const note = noteColumn(header);

  return (row, start) => {
    const exerciseName = readExerciseName(row, "exercise");
    if (exerciseName === null) return null;
    const startedAt = instantAt(start, options.timeZone).toString();
    return {
      times: { startedAt, endedAt: startedAt },
      endColumn: null,
      workoutNotes: null,
      exerciseName,
      exerciseNotes: null,
      supersetGroup: null,
      set: readSet(row, {
        type: "working",
        reps: readInteger(row, "reps", 10_000),
        timeS: readTime(row),
        note,
      }),
    };
  };
}

/** Seconds, written `0:01:30`, `01:30` or `90`. */
function readTime(row: Row): number | null {
  const text = readText(row, "time");
  if (text === "") return null;
  const groups = TIME.exec(text.replace(",", "."))?.groups;
  if (!groups) return warnCell(row, "time", "format", "must be hours, minutes and seconds");
  const timeS =
    Number(groups.h ?? 0) * 3600 + Number(groups.m ?? 0) * 60 + Number(groups.s ?? groups.only);
  return timeS <= MAX_TIME_S ? timeS : warnCell(row, "time", "range", "must be at most a day");
}
