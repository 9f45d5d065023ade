import type { ImportOptions } from "./formats.rules.ts";
import type { Columns, RowReader } from "./grouping.rules.ts";
import { instantAt, wallTimeOf } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";
import { type Header, nameIn, type Row, refuse, textIn, wholeIn } from "./rows.rules.ts";

export const FITNOTES_REQUIRED = ["date", "exercise", "category", "reps"];
/** It has no notes on workouts and exercises. */
export const FITNOTES_COLUMNS: Columns = { exercise: "exercise", exerciseNotes: "", workoutNotes: "" };

const DATES = [
  /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})$/,
  /^(?<day>\d{1,2})\/(?<month>\d{1,2})\/(?<year>\d{4})$/,
];
const TIME = /^(?:(?<h>\d{1,3}):)?(?<m>\d{1,2}):(?<s>[0-5]\d)$/;
const MOST_TIME_S = 86_400;

/** Reads rows of FitNotes, which knows days but no time of day: a workout is at noon, and takes no time. */
export function createFitNotesReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);
  const note = header.columns.has("comment") ? "comment" : "notes";

  return (row) => {
    const exerciseName = nameIn(row, "exercise") ?? refuse(row, "exercise", "required", "must not be empty");
    const reps = wholeIn(row, "reps", 10_000);
    const set = readSet(row, { type: "working", reps, timeS: timeIn(row), note });
    if (row.error || exerciseName === null) return null;
    return {
      key: textIn(row, "date"),
      readHead: () => readHead(row, options.timeZone),
      workoutNotes: null,
      exerciseName,
      exerciseNotes: null,
      supersetGroup: null,
      set,
    };
  };
}

function readHead(row: Row, timeZone: string) {
  const noon = wallTimeOf(textIn(row, "date"), DATES);
  if (noon === null) return refuse(row, "date", "date", "must be a day that exists");
  const startedAt = instantAt(noon, timeZone).toString();
  return { name: null, startedAt, endedAt: startedAt };
}

/** Seconds, written `0:01:30` or `01:30`. */
function timeIn(row: Row): number | null {
  const text = textIn(row, "time");
  if (text === "") return null;
  const groups = TIME.exec(text)?.groups;
  if (!groups) return refuse(row, "time", "format", "must be hours, minutes and seconds");
  const timeS = Number(groups.h ?? 0) * 3600 + Number(groups.m) * 60 + Number(groups.s);
  return timeS <= MOST_TIME_S ? timeS : refuse(row, "time", "range", "must be at most a day");
}
