import type { Delimiter } from "./csv-record.rules.ts";
import type { DateOptions, DateReader } from "./dates.rules.ts";
import type { WallTime } from "./local-time.rules.ts";

/** The apps whose exports can be imported. `strong` covers both dialects of that app. */
export const FORMATS = ["strong", "hevy", "fitnotes"] as const;
export type Format = (typeof FORMATS)[number];

/** The client's answers to the ambiguities of a file. */
export type ImportOptions = DateOptions & {
  /** The unit of weights without a unit. */
  weightUnit?: "kg" | "lb";
  /**
   * The unit of distances without a unit. Default: miles if weights are in pounds, else kilometres.
   */
  distanceUnit?: "km" | "mi";
  /** The IANA zone of the local times in the file. */
  timeZone: string;
};

export type ImportedSet = {
  /** Line of the file. */
  row: number;
  type: "warmup" | "working" | "drop" | "failure";
  weight: number | null;
  weightUnit: "kg" | "lb" | null;
  /** Assistance by a machine or band, as stored in the note: `assisted 20 kg`. */
  assisted: string | null;
  reps: number | null;
  timeS: number | null;
  distanceM: number | null;
  rpe: number | null;
  note: string | null;
};
export type ImportedExercise = {
  name: string;
  notes: string | null;
  supersetGroup: number | null;
  sets: ImportedSet[];
};
/** `row` is its first line in the file, from 1. Times are RFC 3339 in UTC. */
export type ImportedWorkout = {
  row: number;
  /** The start in local time, as in the file: `2024-03-28T17:29:00`. */
  wallStart: string;
  name: string | null;
  startedAt: string;
  endedAt: string;
  notes: string | null;
  exercises: ImportedExercise[];
};

/**
 * A line of the file that was left out, or several (`lastRow`) that are one broken record. Never
 * repeats a value of the file.
 */
export type RowError = {
  row: number;
  lastRow?: number;
  column?: string;
  code: string;
  message: string;
};
/** A cell that was left out or stored in another form, while the rest of its row was read. */
export type CellWarning = { row: number; column: string; code: string; message: string };
/** Content of a file that is not read: columns by name, and rows of rest timers. */
export type Ignored = { columns: string[]; restTimerCount: number };
export type TrainingEvent =
  | { workout: ImportedWorkout }
  | { error: RowError }
  | { warning: CellWarning };

/** The header of a file: the index of each column, by its name in lower case. */
export type Header = { columns: Map<string, number>; names: string[]; delimiter: Delimiter };
/**
 * A row of the file below its header. A row with an `error` is left out; `warnings` are about cells
 * that are not stored as they are.
 */
export type Row = {
  line: number;
  header: Header;
  fields: string[];
  error: RowError | null;
  warnings: CellWarning[];
};

/** A row's content in the terms that all formats share. */
export type TrainingRow = {
  times: Pick<ImportedWorkout, "startedAt" | "endedAt">;
  /** The column from which the end of the workout was read. */
  endColumn: string | null;
  workoutNotes: string | null;
  exerciseName: string;
  exerciseNotes: string | null;
  supersetGroup: number | null;
  /** Null for a row about the exercise only. */
  set: ImportedSet | null;
};
/** Reads a row of a workout that began at `start`; null for an empty or rejected row. */
export type RowReader = (row: Row, start: WallTime) => TrainingRow | null;

/** The columns of a format by meaning; names in lower case. */
export type Columns = {
  start: string;
  end?: string;
  name?: string;
  exercise: string;
  exerciseNotes: string;
  workoutNotes: string;
};
/** The export format of one app: how to recognise it and how to read its rows. */
export type AppFormat = {
  /** The columns that identify the format. */
  required: string[];
  columns: Columns;
  /** Further columns that are read, without those of weights and distances. */
  otherColumns: (header: Header) => string[];
  /** Whether its dates have no time of day. */
  isByDay: boolean;
  isRestTimer: (row: Row) => boolean;
  createRowReader: (header: Header, options: ImportOptions, dates: DateReader) => RowReader;
};
