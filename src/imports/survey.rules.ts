import { AppError } from "#lib/errors.ts";
import { readCsv } from "./csv.rules.ts";
import type { FormatReader, Ignored } from "./formats.rules.ts";
import { lacksWeightUnit, measureColumns } from "./measures.rules.ts";
import { type Header, isBlank, type Row, rowOf, textIn } from "./rows.rules.ts";

/** What the first pass over a file finds. */
export type Survey = {
  /** The first row of each date, by its text. */
  dates: Map<string, number>;
  /** Each start and name, with the last row of the pair. */
  workouts: Map<string, { start: string; name: string; row: number }>;
  /** The first row whose weight has no unit, if there is a column for units. */
  rowWithoutUnit: number | undefined;
  ignored: Ignored;
};

/** How much of a file is read between two pauses. */
export const CHARACTERS_AT_ONCE = 16_384;
const MAX_WORKOUTS = 50_000;

/** Scans a whole file once. Throws invalid (`imports.too_many_workouts`). */
export async function surveyFile(
  text: string,
  header: Header,
  reader: FormatReader,
  pause: () => Promise<void>,
): Promise<Survey> {
  const survey: Survey = {
    dates: new Map(),
    workouts: new Map(),
    rowWithoutUnit: undefined,
    ignored: { columns: [], restTimerCount: 0 },
  };
  const unread = unreadColumns(header, reader);
  const filled = new Set<number>();
  let isHeader = true;
  let pausedAt = 0;
  for (const { row: line, end, fields, fault } of readCsv(text)) {
    // A broken record may have taken long to parse.
    if (fault || end - pausedAt > CHARACTERS_AT_ONCE) {
      await pause();
      pausedAt = end;
    }
    if (isHeader) {
      isHeader = false;
      continue;
    }
    const row = rowOf(header, line, fields);
    if (fault || isBlank(row)) continue;
    if (reader.isRestTimer(row)) {
      survey.ignored.restTimerCount++;
      continue;
    }
    for (const at of unread) if ((fields[at] ?? "").trim() !== "") filled.add(at);
    if (survey.rowWithoutUnit === undefined && lacksWeightUnit(row)) survey.rowWithoutUnit = line;
    noteDates(survey, row, reader);
  }
  survey.ignored.columns = unread
    .filter((at) => filled.has(at))
    .map((at) => header.names[at] as string);
  return survey;
}

/** The texts that identify the workout of a row: its start and its name. */
export const identifyingTexts = (
  row: Row,
  { columns }: FormatReader,
): [start: string, name: string] => [
  textIn(row, columns.start),
  columns.name === undefined ? "" : textIn(row, columns.name),
];

function noteDates(survey: Survey, row: Row, reader: FormatReader): void {
  const [start, name] = identifyingTexts(row, reader);
  const texts =
    reader.columns.end === undefined ? [start] : [start, textIn(row, reader.columns.end)];
  for (const date of texts)
    if (date !== "" && !survey.dates.has(date)) survey.dates.set(date, row.line);
  survey.workouts.set(`${start}\n${name}`, { start, name, row: row.line });
  if (survey.workouts.size > MAX_WORKOUTS) {
    throw new AppError(
      "invalid",
      "imports.too_many_workouts",
      `The file has more than ${MAX_WORKOUTS} workouts`,
    );
  }
}

function unreadColumns(header: Header, reader: FormatReader): number[] {
  const read = new Set([
    ...Object.values(reader.columns),
    ...reader.others(header),
    ...measureColumns(header),
  ]);
  const isRead = (name: string, at: number) => {
    const column = name.toLowerCase();
    return read.has(column) && header.columns.get(column) === at;
  };
  return header.names.flatMap((name, at) => (isRead(name, at) || name === "" ? [] : [at]));
}
