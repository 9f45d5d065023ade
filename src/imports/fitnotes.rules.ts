import type { FormatReader, ImportOptions } from "./formats.rules.ts";
import type { RowReader } from "./grouping.rules.ts";
import { instantAt } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";
import { type Header, noteCell, type Row, requiredNameIn, textIn, wholeIn } from "./rows.rules.ts";

/**
 * It has no notes on workouts and exercises. Its categories are not read: our exercises have their
 * own.
 */
export const FITNOTES: FormatReader = {
  required: ["date", "exercise", "category", "reps"],
  columns: {
    start: "date",
    exercise: "exercise",
    exerciseNotes: "",
    workoutNotes: "",
  },
  others: (header) => ["weight unit", "reps", "distance unit", "time", noteColumn(header)],
  isByDay: true,
  isRestTimer: () => false,
  create: createReader,
};

const noteColumn = ({ columns }: Header) => (columns.has("comment") ? "comment" : "notes");
const TIME =
  /^(?:(?:(?<h>\d{1,3}):)?(?<m>\d{1,2}):(?<s>[0-5]?\d(?:[.,]\d+)?)|(?<only>\d{1,5}(?:[.,]\d+)?))$/;
const MAX_TIME_S = 86_400;

/**
 * Reads rows of FitNotes, which knows days but no time of day: a workout is at noon, and takes no
 * time.
 */
function createReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);
  const note = noteColumn(header);

  return (row, start) => {
    const exerciseName = requiredNameIn(row, "exercise");
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
        reps: wholeIn(row, "reps", 10_000),
        timeS: timeIn(row),
        note,
      }),
    };
  };
}

/** Seconds, written `0:01:30`, `01:30` or `90`. */
function timeIn(row: Row): number | null {
  const text = textIn(row, "time");
  if (text === "") return null;
  const groups = TIME.exec(text.replace(",", "."))?.groups;
  if (!groups) return noteCell(row, "time", "format", "must be hours, minutes and seconds");
  const timeS =
    Number(groups.h ?? 0) * 3600 + Number(groups.m ?? 0) * 60 + Number(groups.s ?? groups.only);
  return timeS <= MAX_TIME_S ? timeS : noteCell(row, "time", "range", "must be at most a day");
}
