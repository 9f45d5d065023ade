import { AppError } from "#lib/errors.ts";
import {
  createHeader,
  createRow,
  isBlank,
  normalizeWorkoutName,
  rejectRow,
} from "./cells.rules.ts";
import { type CsvRecord, readCsv } from "./csv.rules.ts";
import { type DateReader, detectDates } from "./dates.rules.ts";
import { FITNOTES } from "./fitnotes.rules.ts";
import {
  type AppFormat,
  FORMATS,
  type Format,
  type Header,
  type Ignored,
  type ImportOptions,
  type Row,
  type RowError,
  type TrainingEvent,
} from "./formats.types.ts";
import { createGrouping, type Identity } from "./grouping.rules.ts";
import { HEVY } from "./hevy.rules.ts";
import { hasWeights, needsWeightUnit } from "./measures.rules.ts";
import { CHARACTERS_PER_PAUSE, type FileScan, identityTexts, scanFile } from "./scan.rules.ts";
import { STRONG } from "./strong.rules.ts";

const APP_FORMATS: Record<Format, AppFormat> = { strong: STRONG, hevy: HEVY, fitnotes: FITNOTES };

/** An export whose ambiguities are resolved. */
export type TrainingFile = {
  format: Format;
  ignored: Ignored;
  /**
   * Its workouts, each after its last row was read, and between them the rows that were left out
   * and the warnings about cells. May be iterated more than once.
   */
  events(): AsyncGenerator<TrainingEvent>;
};

/**
 * Opens an export, and resolves its ambiguities from the file as a whole. `pause` is called often,
 * here and in `events`. Throws `invalid`: `imports.unknown_format` for an unknown header,
 * `imports.unit_required` when weights have no unit and `options.weightUnit` is missing,
 * `imports.too_many_workouts`, and as `detectDates` does; RangeError for a time zone that does not
 * exist.
 */
export async function openTrainingFile(
  text: string,
  options: ImportOptions,
  pause: () => Promise<void>,
): Promise<TrainingFile> {
  const { value: first } = readCsv(text).next();
  const header = first && !first.fault ? createHeader(first.fields, first.delimiter) : null;
  const format = FORMATS.find((name) => header !== null && hasFormat(header, APP_FORMATS[name]));
  if (header === null || format === undefined) {
    const detail = "The file is no export of Strong, Hevy or FitNotes";
    throw new AppError("invalid", "imports.unknown_format", detail);
  }
  const appFormat = APP_FORMATS[format];
  const scan = await scanFile(text, header, appFormat, pause);
  const row = needsWeightUnit(header) ? first?.line : scan.rowWithoutUnit;
  if (row !== undefined && options.weightUnit === undefined) {
    const detail = `The file has weights without a unit (row ${row}): say which one by weightUnit`;
    throw new AppError("invalid", "imports.unit_required", detail);
  }
  const dates = await detectDates(scan.dates, options, pause);
  return {
    format,
    ignored: scan.ignored,
    events: () => readEvents(text, { header, appFormat, scan, dates, options, pause }),
  };
}

const hasFormat = (header: Header, { required }: AppFormat): boolean =>
  hasWeights(header) && required.every((column) => header.columns.has(column));

/** The number of workouts that are identified between two pauses. */
const WORKOUTS_PER_PAUSE = 64;

type ReadContext = {
  header: Header;
  appFormat: AppFormat;
  scan: FileScan;
  dates: DateReader;
  options: ImportOptions;
  pause: () => Promise<void>;
};

async function* readEvents(text: string, context: ReadContext): AsyncGenerator<TrainingEvent> {
  const { header, appFormat, pause } = context;
  const eventsOfRow = await createEventReader(context);
  let brokenRecord: RowError | null = null;
  let isHeader = true;
  let pausedAt = 0;
  for (const record of readCsv(text)) {
    if (record.fault || record.end - pausedAt > CHARACTERS_PER_PAUSE) {
      await pause();
      pausedAt = record.end;
    }
    if (isHeader) {
      isHeader = false;
      continue;
    }
    if (brokenRecord && !record.isFragment) yield { error: brokenRecord };
    brokenRecord = record.fault && recordError(record, record.isFragment ? brokenRecord : null);
    if (brokenRecord) continue;
    const row = createRow(header, record.line, record.fields);
    if (!isBlank(row) && !appFormat.isRestTimer(row)) yield* eventsOfRow(row);
  }
  if (brokenRecord) yield { error: brokenRecord };
}

/** Reads a row; the events include its workout if the row is the workout's last. */
async function createEventReader({
  header,
  appFormat,
  scan,
  dates,
  options,
  pause,
}: ReadContext): Promise<(row: Row) => TrainingEvent[]> {
  const { columns } = appFormat;
  const identify = createIdentify(appFormat, dates);
  const lastRows = await lastRowsByKey(scan, identify, pause);
  const readRow = appFormat.createRowReader(header, options, dates);
  const grouping = createGrouping(columns);
  return (row) => {
    const identity = identify(...identityTexts(row, appFormat));
    if (identity) {
      const content = readRow(row, identity.start);
      if (content) grouping.add(row, identity, content);
    } else {
      const expected = appFormat.isByDay ? "a day that exists" : "a date and time that exist";
      rejectRow(row, columns.start, "date", `must be ${expected}`);
    }
    const events: TrainingEvent[] = row.error
      ? [{ error: row.error }]
      : row.warnings.map((warning) => ({ warning }));
    const isLastRow = identity && lastRows.get(identity.key) === row.line;
    const workout = isLastRow ? grouping.close(identity) : null;
    return workout ? [...events, { workout }] : events;
  };
}

/** The last row of each workout, by the key of its identity. */
async function lastRowsByKey(scan: FileScan, identify: Identify, pause: () => Promise<void>) {
  const lastRows = new Map<string, number>();
  let count = 0;
  for (const { start, name, lastRow } of scan.workouts.values()) {
    if (++count % WORKOUTS_PER_PAUSE === 0) await pause();
    const key = identify(start, name)?.key;
    if (key) lastRows.set(key, Math.max(lastRows.get(key) ?? 0, lastRow));
  }
  return lastRows;
}

type Identify = (startText: string, nameText: string) => Identity | null;

/** The workout that a start and a name identify, cached; null if the start is not a date. */
function createIdentify(appFormat: AppFormat, dates: DateReader): Identify {
  const cache = new Map<string, Identity | null>();
  return (startText, nameText) => {
    const texts = `${startText}\n${nameText}`;
    let identity = cache.get(texts);
    if (identity === undefined) {
      const start = dates.read(startText, appFormat.isByDay);
      const name = normalizeWorkoutName(nameText);
      identity = start && { key: `${start}\n${name ?? ""}`, start, name };
      cache.set(texts, identity);
    }
    return identity;
  };
}

/** The error for a broken record, or for the record `continued` and this fragment of it. */
function recordError({ line, lastLine, fault }: CsvRecord, continued: RowError | null): RowError {
  const { row, ...rest } = continued ?? {
    row: line,
    ...(fault as { code: string; message: string }),
  };
  return lastLine > row ? { row, ...rest, lastRow: lastLine } : { row, ...rest };
}
