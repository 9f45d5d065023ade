import { AppError } from "../errors.ts";
import { readCsv } from "./csv.rules.ts";
import { createFitNotesReader, FITNOTES_COLUMNS, FITNOTES_REQUIRED } from "./fitnotes.rules.ts";
import { type Columns, createGrouping, type RowReader } from "./grouping.rules.ts";
import { createHevyReader, HEVY_COLUMNS, HEVY_REQUIRED } from "./hevy.rules.ts";
import { hasWeights, needsWeightUnit } from "./measures.rules.ts";
import { type Header, headerOf, rowOf } from "./rows.rules.ts";
import { createStrongReader, STRONG_COLUMNS, STRONG_REQUIRED } from "./strong.rules.ts";

/** The apps whose exports we read; `strong` in both of its dialects. */
export const FORMATS = ["strong", "hevy", "fitnotes"] as const;
export type Format = (typeof FORMATS)[number];

/** What the file itself does not say. */
export type ImportOptions = {
  /** Of weights without a unit. */
  weightUnit?: "kg" | "lb";
  /** Of distances without a unit: miles where weights are in pounds, else kilometres, when not given. */
  distanceUnit?: "km" | "mi";
  /** The IANA zone of the local times in the file. */
  timeZone: string;
};

export type ImportedSet = {
  type: "warmup" | "working" | "drop" | "failure";
  weight: number | null;
  weightUnit: "kg" | "lb" | null;
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
/** `row` is the first line of the file that it was read from, from 1. Times are RFC 3339 in UTC. */
export type ImportedWorkout = {
  row: number;
  name: string | null;
  startedAt: string;
  endedAt: string;
  notes: string | null;
  exercises: ImportedExercise[];
};
/** A line of the file that was left out. `message` names the column and never repeats the value. */
export type RowError = { row: number; code: string; message: string };
export type TrainingEvent = { format: Format } | { workout: ImportedWorkout } | { error: RowError };

type FormatReader = {
  required: string[];
  columns: Columns;
  create: (header: Header, options: ImportOptions) => RowReader;
};
const READERS: Record<Format, FormatReader> = {
  strong: { required: STRONG_REQUIRED, columns: STRONG_COLUMNS, create: createStrongReader },
  hevy: { required: HEVY_REQUIRED, columns: HEVY_COLUMNS, create: createHevyReader },
  fitnotes: { required: FITNOTES_REQUIRED, columns: FITNOTES_COLUMNS, create: createFitNotesReader },
};

/**
 * Reads an export as it comes, holding one workout at a time: first the format that its header is of, then its workouts
 * in the order of the file, each when the next one begins, and between them the rows that were left out. Throws
 * `invalid`: `imports.unknown_format` when the header is none that we know, `imports.unit_required` when weights have
 * no unit and `options.weightUnit` is missing; RangeError for a time zone that does not exist.
 */
export async function* readTraining(
  chunks: AsyncIterable<string>,
  options: ImportOptions,
): AsyncGenerator<TrainingEvent> {
  await using records = readCsv(chunks);
  const first = await records.next();
  const header = first.done || first.value.fault ? null : headerOf(first.value.fields, first.value.delimiter);
  const format = FORMATS.find((name) => header !== null && isOf(name, header));
  if (header === null || format === undefined) {
    throw new AppError("invalid", "imports.unknown_format", "The file is no export of Strong, Hevy or FitNotes");
  }
  if (needsWeightUnit(header) && options.weightUnit === undefined) {
    throw new AppError("invalid", "imports.unit_required", "The file has weights without a unit: say which one");
  }
  yield { format };

  const { columns, create } = READERS[format];
  const readRow = create(header, options);
  const grouping = createGrouping(columns);
  for await (const { row: line, fields, fault } of records) {
    if (fault) {
      yield { error: { row: line, ...fault } };
      continue;
    }
    const row = rowOf(header, line, fields);
    const read = row.error ? null : readRow(row);
    const workout = read && grouping.add(row, read);
    if (workout) yield { workout };
    if (row.error) yield { error: row.error };
  }
  const last = grouping.last();
  if (last) yield { workout: last };
}

const isOf = (format: Format, header: Header): boolean =>
  hasWeights(header) && READERS[format].required.every((column) => header.columns.has(column));
