import { AppError } from "#lib/errors.ts";
import { createRow, isBlank, readText } from "./cells.rules.ts";
import { readCsv } from "./csv.rules.ts";
import type { AppFormat, Header, Ignored, Row } from "./formats.types.ts";
import { lacksWeightUnit, measureColumns } from "./measures.rules.ts";

/** The result of the first pass over a file. */
export type FileScan = {
  /** The first row of each date, by its text. */
  dates: Map<string, number>;
  /** Each start and name, with the last row of the pair. */
  workouts: Map<string, { start: string; name: string; lastRow: number }>;
  /** The first row whose weight has no unit, if there is a column for units. */
  rowWithoutUnit: number | undefined;
  ignored: Ignored;
};

/** The number of characters that are read between two pauses. */
export const CHARACTERS_PER_PAUSE = 16_384;
const MAX_WORKOUTS = 50_000;

/** Scans a whole file once. Throws invalid (`imports.too_many_workouts`). */
export async function scanFile(
  text: string,
  header: Header,
  format: AppFormat,
  pause: () => Promise<void>,
): Promise<FileScan> {
  const scan: FileScan = {
    dates: new Map(),
    workouts: new Map(),
    rowWithoutUnit: undefined,
    ignored: { columns: [], restTimerCount: 0 },
  };
  const unread = unreadColumns(header, format);
  const withContent = new Set<number>();
  let isHeader = true;
  let pausedAt = 0;
  for (const { line, end, fields, fault } of readCsv(text)) {
    // A broken record may have taken long to parse.
    if (fault || end - pausedAt > CHARACTERS_PER_PAUSE) {
      await pause();
      pausedAt = end;
    }
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const row = createRow(header, line, fields);
    if (fault || isBlank(row)) continue;
    if (format.isRestTimer(row)) {
      scan.ignored.restTimerCount++;
      continue;
    }
    for (const index of unread) {
      if ((fields[index] ?? "").trim() !== "") withContent.add(index);
    }
    if (scan.rowWithoutUnit === undefined && lacksWeightUnit(row)) scan.rowWithoutUnit = line;
    addRow(scan, row, format);
  }
  scan.ignored.columns = unread
    .filter((index) => withContent.has(index))
    .map((index) => header.names[index] as string);
  return scan;
}

/** The texts that identify the workout of a row: its start and its name. */
export const identityTexts = (row: Row, { columns }: AppFormat): [start: string, name: string] => [
  readText(row, columns.start),
  columns.name === undefined ? "" : readText(row, columns.name),
];

function addRow(scan: FileScan, row: Row, format: AppFormat): void {
  const [start, name] = identityTexts(row, format);
  const { end } = format.columns;
  for (const date of end === undefined ? [start] : [start, readText(row, end)]) {
    if (date !== "" && !scan.dates.has(date)) scan.dates.set(date, row.line);
  }
  scan.workouts.set(`${start}\n${name}`, { start, name, lastRow: row.line });
  if (scan.workouts.size > MAX_WORKOUTS) {
    const detail = `The file has more than ${MAX_WORKOUTS} workouts`;
    throw new AppError("invalid", "imports.too_many_workouts", detail);
  }
}

/** The indexes of named columns that are not read, including repeated ones. */
function unreadColumns(header: Header, format: AppFormat): number[] {
  const readColumns = new Set([
    ...Object.values(format.columns),
    ...format.otherColumns(header),
    ...measureColumns(header),
  ]);
  return header.names.flatMap((name, index) => {
    const column = name.toLowerCase();
    const isRead = readColumns.has(column) && header.columns.get(column) === index;
    return isRead || name === "" ? [] : [index];
  });
}
