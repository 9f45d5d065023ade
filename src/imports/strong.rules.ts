import { MAX_WORKOUT_S } from "../workouts/workouts.rules.ts";
import type { ImportedSet, ImportedWorkout, ImportOptions } from "./formats.rules.ts";
import { type Columns, EXERCISE_NOTES_LENGTH, type RowReader, WORKOUT_NOTES_LENGTH } from "./grouping.rules.ts";
import { ISO_TIME, instantAt, wallTimeOf } from "./local-time.rules.ts";
import { createSetReader } from "./measures.rules.ts";
import { type Header, nameIn, noteIn, numberIn, type Row, refuse, textIn, wholeIn } from "./rows.rules.ts";

/** Strong, both dialects: one has commas and durations like `1h 5m`, the other semicolons and durations in seconds. */
export const STRONG_REQUIRED = ["date", "workout name", "exercise name", "set order", "reps"];
export const STRONG_COLUMNS: Columns = {
  exercise: "exercise name",
  exerciseNotes: "notes",
  workoutNotes: "workout notes",
};

const DURATION_COLUMNS = ["duration (sec)", "duration", "workout duration"];
const DURATION = /^(?:(?:(?<h>\d{1,4})h)? ?(?:(?<m>\d{1,4})m(?:in)?)? ?(?:(?<s>\d{1,6})s)?|(?<only>\d{1,9}))$/;
/** Who forgets to finish a workout may do so for a month. */
const SET_TYPES = new Map<string, ImportedSet["type"]>([
  ["w", "warmup"],
  ["d", "drop"],
  ["f", "failure"],
]);

/** Reads rows of Strong. Rest timers say nothing; a row of order `Note` is a note on the exercise. */
export function createStrongReader(header: Header, options: ImportOptions): RowReader {
  const readSet = createSetReader(header, options);
  const duration = DURATION_COLUMNS.find((column) => header.columns.has(column));

  return (row) => {
    const order = textIn(row, "set order").toLowerCase();
    if (order === "rest timer") return null;
    const isNote = order === "note";
    const exerciseNotes = isNote ? noteIn(row, "notes", EXERCISE_NOTES_LENGTH) : null;
    if (isNote && exerciseNotes === null) return null;
    const exerciseName = nameIn(row, "exercise name") ?? refuse(row, "exercise name", "required", "must not be empty");
    const set = isNote ? null : readMeasured(row, order);
    const workoutNotes = noteIn(row, "workout notes", WORKOUT_NOTES_LENGTH);
    if (row.error || exerciseName === null) return null;
    return {
      key: `${textIn(row, "date")}\n${textIn(row, "workout name")}`,
      readHead: () => readHead(row, options.timeZone, duration),
      workoutNotes,
      exerciseName,
      exerciseNotes,
      supersetGroup: null,
      set,
    };
  };

  function readMeasured(row: Row, order: string): ImportedSet {
    const type = /^\d+$/.test(order) ? "working" : SET_TYPES.get(order);
    if (!type) refuse(row, "set order", "choice", "must be a number, W, D, F, Note or Rest Timer");
    const [reps, timeS] = [wholeIn(row, "reps", 10_000), numberIn(row, "seconds", 0, 86_400)];
    return readSet(row, { type: type ?? "working", reps, timeS, note: "notes" });
  }
}

function readHead(row: Row, timeZone: string, duration: string | undefined) {
  const name = nameIn(row, "workout name");
  const wall = wallTimeOf(textIn(row, "date"), [ISO_TIME]);
  if (wall === null) return refuse(row, "date", "date", "must be a date and time that exist");
  const durationS = duration === undefined ? 0 : durationIn(row, duration);
  if (row.error) return null;
  const startedAt = instantAt(wall, timeZone);
  const head: Pick<ImportedWorkout, "name" | "startedAt" | "endedAt"> = {
    name,
    startedAt: startedAt.toString(),
    endedAt: startedAt.add({ seconds: durationS }).toString(),
  };
  return head;
}

/** In seconds; 0 when the cell is empty, for then nobody stopped the time. */
function durationIn(row: Row, column: string): number {
  const text = textIn(row, column);
  if (text === "") return 0;
  const groups = DURATION.exec(text)?.groups;
  if (!groups) refuse(row, column, "format", "must be like 1h 5m, or a number of seconds");
  const { h = 0, m = 0, s = 0, only = 0 } = groups ?? {};
  const durationS = Number(h) * 3600 + Number(m) * 60 + Number(s) + Number(only);
  if (durationS > MAX_WORKOUT_S) refuse(row, column, "range", "must be at most 7 days");
  return durationS;
}
