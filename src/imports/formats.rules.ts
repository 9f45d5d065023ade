import { AppError } from "#lib/errors.ts";
import { type CsvRecord, readCsv } from "./csv.rules.ts";
import { type DateOptions, type DateReader, decideDates } from "./dates.rules.ts";
import { FITNOTES } from "./fitnotes.rules.ts";
import { createGrouping, type Identity, type RowReader } from "./grouping.rules.ts";
import { HEVY } from "./hevy.rules.ts";
import { hasWeights, needsWeightUnit } from "./measures.rules.ts";
import { type Header, headerOf, isBlank, keptName, type Row, refuse, rowOf } from "./rows.rules.ts";
import { STRONG } from "./strong.rules.ts";
import { CHARACTERS_AT_ONCE, identifyingTexts, type Survey, surveyFile } from "./survey.rules.ts";

/** The apps whose exports we read; `strong` in both of its dialects. */
export const FORMATS = ["strong", "hevy", "fitnotes"] as const;
export type Format = (typeof FORMATS)[number];

/** How to read what the file leaves open. */
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
 * repeats a value.
 */
export type RowError = {
  row: number;
  lastRow?: number;
  column?: string;
  code: string;
  message: string;
};
/** A cell that was left out or stored in another form, while the rest of its row was read. */
export type CellNote = { row: number; column: string; code: string; message: string };
/** Content of a file that is not read: columns by name, and rows of rest timers. */
export type Ignored = { columns: string[]; restTimerCount: number };
export type TrainingEvent = { workout: ImportedWorkout } | { error: RowError } | { note: CellNote };

/** The columns of a format by meaning; names in lower case. */
export type Columns = {
  start: string;
  end?: string;
  name?: string;
  exercise: string;
  exerciseNotes: string;
  workoutNotes: string;
};
export type FormatReader = {
  required: string[];
  columns: Columns;
  /** Further columns that are read, without those of weights and distances. */
  others(header: Header): string[];
  /** Whether its dates have no time of day. */
  isByDay: boolean;
  isRestTimer: (row: Row) => boolean;
  create: (header: Header, options: ImportOptions, dates: DateReader) => RowReader;
};

const READERS: Record<Format, FormatReader> = { strong: STRONG, hevy: HEVY, fitnotes: FITNOTES };

/** An export whose ambiguities are resolved. */
export type Training = {
  format: Format;
  ignored: Ignored;
  /**
   * Its workouts, each after its last row was read, and between them the rows and cells that were
   * left out. May be iterated more than once.
   */
  events(): AsyncGenerator<TrainingEvent>;
};

/**
 * Opens an export, and resolves its ambiguities from the file as a whole. `pause` is called often,
 * here and in `events`. Throws `invalid`: `imports.unknown_format` for an unknown header,
 * `imports.unit_required` when weights have no unit and `options.weightUnit` is missing,
 * `imports.too_many_workouts`, and as `decideDates` does; RangeError for a time zone that does not
 * exist.
 */
export async function openTraining(
  text: string,
  options: ImportOptions,
  pause: () => Promise<void>,
): Promise<Training> {
  const { value: first } = readCsv(text).next();
  const header = first && !first.fault ? headerOf(first.fields, first.delimiter) : null;
  const format = FORMATS.find((name) => header !== null && isOf(name, header));
  if (header === null || format === undefined) {
    throw new AppError(
      "invalid",
      "imports.unknown_format",
      "The file is no export of Strong, Hevy or FitNotes",
    );
  }
  const reader = READERS[format];
  const survey = await surveyFile(text, header, reader, pause);
  const row = needsWeightUnit(header) ? first?.row : survey.rowWithoutUnit;
  if (row !== undefined && options.weightUnit === undefined) {
    const detail = `The file has weights without a unit (row ${row}): say which one by weightUnit`;
    throw new AppError("invalid", "imports.unit_required", detail);
  }
  const dates = await decideDates(survey.dates, options, pause);
  return {
    format,
    ignored: survey.ignored,
    events: () => readEvents(text, { header, reader, survey, dates, options, pause }),
  };
}

const isOf = (format: Format, header: Header): boolean =>
  hasWeights(header) && READERS[format].required.every((column) => header.columns.has(column));

/** How many workouts are identified between two pauses. */
const WORKOUTS_AT_ONCE = 64;

type Opened = {
  header: Header;
  reader: FormatReader;
  survey: Survey;
  dates: DateReader;
  options: ImportOptions;
  pause: () => Promise<void>;
};

async function* readEvents(text: string, opened: Opened): AsyncGenerator<TrainingEvent> {
  const { header, reader, survey, dates, options, pause } = opened;
  const identityOf = createIdentities(reader, dates);
  const lastRows = await lastRowsOf(survey, identityOf, pause);
  const readRow = reader.create(header, options, dates);
  const grouping = createGrouping(reader.columns);
  /** Reads a row, and yields its workout after its last row. */
  const eventsOf = (row: Row): TrainingEvent[] => {
    const identity = identityOf(...identifyingTexts(row, reader));
    if (identity) {
      const read = readRow(row, identity.start);
      if (read) grouping.add(row, identity, read);
    } else {
      const what = reader.isByDay ? "a day that exists" : "a date and time that exist";
      refuse(row, reader.columns.start, "date", `must be ${what}`);
    }
    const events: TrainingEvent[] = row.error
      ? [{ error: row.error }]
      : row.notes.map((note) => ({ note }));
    const workout =
      identity && lastRows.get(identity.key) === row.line ? grouping.close(identity) : null;
    return workout ? [...events, { workout }] : events;
  };
  let broken: RowError | null = null;
  let isHeader = true;
  let pausedAt = 0;
  for (const record of readCsv(text)) {
    if (record.fault || record.end - pausedAt > CHARACTERS_AT_ONCE) {
      await pause();
      pausedAt = record.end;
    }
    if (isHeader) {
      isHeader = false;
      continue;
    }
    if (broken && !record.isFragment) yield { error: broken };
    broken = record.fault && brokenRecord(record, record.isFragment ? broken : null);
    if (broken) continue;
    const row = rowOf(header, record.row, record.fields);
    if (!isBlank(row) && !reader.isRestTimer(row)) yield* eventsOf(row);
  }
  if (broken) yield { error: broken };
}

/** The last row of each workout, by the key of its identity. */
async function lastRowsOf(survey: Survey, identityOf: IdentityOf, pause: () => Promise<void>) {
  const lastRows = new Map<string, number>();
  let count = 0;
  for (const { start, name, row } of survey.workouts.values()) {
    if (++count % WORKOUTS_AT_ONCE === 0) await pause();
    const key = identityOf(start, name)?.key;
    if (key) lastRows.set(key, Math.max(lastRows.get(key) ?? 0, row));
  }
  return lastRows;
}

type IdentityOf = (startText: string, nameText: string) => Identity | null;

/** The workout that a start and a name identify, cached; null if the start is not a date. */
function createIdentities(reader: FormatReader, dates: DateReader): IdentityOf {
  const known = new Map<string, Identity | null>();
  return (startText, nameText) => {
    const texts = `${startText}\n${nameText}`;
    let identity = known.get(texts);
    if (identity === undefined) {
      const start = dates.read(startText, reader.isByDay);
      const name = keptName(nameText);
      identity = start && { key: `${start}\n${name ?? ""}`, start, name };
      known.set(texts, identity);
    }
    return identity;
  };
}

function brokenRecord({ row, lastRow, fault }: CsvRecord, before: RowError | null): RowError {
  const { row: firstRow, ...rest } = before ?? {
    row,
    ...(fault as { code: string; message: string }),
  };
  return lastRow > firstRow ? { row: firstRow, ...rest, lastRow } : { row: firstRow, ...rest };
}
