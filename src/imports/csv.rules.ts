import {
  type Delimiter,
  lineBreakAt,
  lineEnd,
  MAX_RECORD_CHARACTERS,
  type Manner,
  type Reading,
  readCells,
} from "./csv-cells.rules.ts";

/**
 * One record of a CSV file. `row` is its first line, from 1, and `lastRow` its last. If there is a
 * `fault`, its fields are meaningless. A record that `isFragment` continues the broken one before
 * it.
 */
export type CsvRecord = {
  row: number;
  lastRow: number;
  /** The index after it, in characters of the file. */
  end: number;
  fields: string[];
  delimiter: Delimiter;
  fault: { code: "quotes" | "record_too_long" | "columns"; message: string } | null;
  isFragment: boolean;
};

const QUOTES_FAULT = { code: "quotes", message: "A quote is misplaced or never closed" } as const;
const LENGTH_FAULT = {
  code: "record_too_long",
  message: `A row has at most ${MAX_RECORD_CHARACTERS} characters`,
} as const;
const BYTE_ORDER_MARK = "\uFEFF";
const SEPARATOR_LINE = /^"?sep=([,;\t|])"?(?:\r\n|\n|\r|$)/i;
/**
 * How often all characters, and those of the longest record, may be parsed again to find the end of
 * a broken record.
 */
const [MAX_READINGS, MAX_READINGS_OF_RECORD] = [4, 8];
/** In a stretch of empty lines, one record without fields is given per this many lines. */
const BLANK_LINES_AT_ONCE = 100_000;

const STRICT: Manner = { doubled: "strict", mayGoOn: false };
const LOOSER: Manner[] = [
  { doubled: "loose", mayGoOn: false },
  { doubled: "strict", mayGoOn: true },
  { doubled: "loose", mayGoOn: true },
];

/**
 * The records of a CSV file (RFC 4180), in order. Lines may end in LF, CRLF or CR. Empty lines, a
 * byte order mark and a first line `sep=;` are skipped. The delimiter is the first of `,`, `;`, tab
 * and `|` outside quotes in the first record, which also sets the number of columns.
 *
 * A long stretch of empty lines gives records without fields, so that the caller can pause there.
 *
 * A quote that is not doubled is text if no cell can end there. A record that cannot be parsed is
 * one fault, and parsing continues at its second line, so that a quote that is never closed does
 * not swallow the file. Each character is parsed a bounded number of times.
 */
export function* readCsv(text: string): Generator<CsvRecord> {
  const { delimiter, ...start } = startOf(text);
  let { at, row } = start;
  const budget = { characters: Math.max(text.length * MAX_READINGS, 1_000_000) };
  let width = 0;
  // Inside an unclosed cell of a broken record, judging by the parity of its quotes.
  let isOpen = false;
  let [wasBroken, blankCount] = [false, 0];
  while (at < text.length) {
    const blank = lineBreakAt(text, at);
    if (blank > at) {
      at = blank;
      row++;
      if (width > 0 && ++blankCount % BLANK_LINES_AT_ONCE === 0) {
        yield {
          row: row - 1,
          lastRow: row - 1,
          end: at,
          fields: [],
          delimiter,
          fault: null,
          isFragment: false,
        };
      }
      continue;
    }
    const { reading, fault }: { reading: Reading; fault: CsvRecord["fault"] } = readRecord(
      text,
      at,
      delimiter,
      width,
      budget,
    );
    const lines = linesIn(text, at, reading.end);
    const isFragment: boolean =
      fault !== null && (isOpen || (wasBroken && isRest(text, at, reading, width)));
    wasBroken = fault !== null;
    yield {
      row,
      lastRow: row + lines - 1,
      end: reading.end,
      fields: reading.fields,
      delimiter,
      fault,
      isFragment,
    };
    if (width === 0) width = fault ? 1 : reading.fields.length;
    isOpen =
      (fault?.code === "quotes" || isFragment) &&
      isFragment !== hasOddQuotes(text, at, reading.end);
    at = reading.end;
    row += lines;
  }
}

/** Where the first record begins, and the delimiter. */
function startOf(text: string): { at: number; row: number; delimiter: Delimiter } {
  let at = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let row = 1;
  const separator = SEPARATOR_LINE.exec(text.slice(at, at + 16));
  if (separator) {
    at += separator[0].length;
    row++;
  }
  for (let next = lineBreakAt(text, at); next > at; next = lineBreakAt(text, at)) {
    at = next;
    row++;
  }
  return { at, row, delimiter: (separator?.[1] as Delimiter | undefined) ?? delimiterOf(text, at) };
}

function readRecord(
  text: string,
  at: number,
  delimiter: Delimiter,
  width: number,
  budget: { characters: number },
) {
  let left = MAX_READINGS_OF_RECORD * MAX_RECORD_CHARACTERS;
  const mayTry = () => left > 0 && budget.characters > 0;
  const attempt = (start: number, manner: Manner) => {
    const reading = readCells(text, start, delimiter, width, manner);
    const readCount = Math.min(reading.end - start, MAX_RECORD_CHARACTERS);
    left -= readCount;
    budget.characters -= readCount;
    return reading;
  };
  const fits = ({ fields, isClosed, isTooLong }: Reading) =>
    isClosed && !isTooLong && (width === 0 || isWide(fields, width));
  /** Whether a later line is a valid record by itself, or the budget does not allow finding out. */
  const swallowsOne = ({ end }: Reading) => {
    for (let line = lineEnd(text, at); line < end; line = lineEnd(text, line)) {
      if (!mayTry() || fits(attempt(line, STRICT))) return true;
    }
    return false;
  };
  const isGood = (reading: Reading) =>
    fits(reading) && !(reading.isIrregular && swallowsOne(reading));
  const first = attempt(at, STRICT);
  if (isGood(first)) return { reading: first, fault: null };
  if (first.isTooLong && first.isClosed) return { reading: first, fault: LENGTH_FAULT };
  if (first.isIrregular || !first.isClosed) {
    for (const manner of LOOSER) {
      if (!mayTry()) break;
      const other = attempt(at, manner);
      if (isGood(other)) return { reading: other, fault: null };
    }
  }
  if (first.isClosed && !first.isIrregular) return { reading: first, fault: columnsFault(width) };
  // Only the first line is dropped, since the rest may be valid; beyond the budget, the whole
  // record is.
  const end = budget.characters > 0 ? lineEnd(text, at) : first.end;
  const isTooLong = end - at > MAX_RECORD_CHARACTERS;
  return { reading: { ...first, end }, fault: isTooLong ? LENGTH_FAULT : QUOTES_FAULT };
}

const columnsFault = (width: number) =>
  ({ code: "columns", message: `Must have ${width} columns, as the header has` }) as const;

const isWide = (fields: string[], width: number) =>
  fields.length >= width && fields.slice(width).every((field) => field === "");

function linesIn(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; lines++) at = Math.min(lineEnd(text, at), text.length);
  return Math.max(lines, 1);
}

/**
 * Whether it is the rest of a broken multi-line record: too few cells, and a quote that was opened
 * before.
 */
function isRest(text: string, start: number, { fields, end }: Reading, width: number): boolean {
  if (fields.length >= width) return false;
  const quote = text.slice(start, end).indexOf('"');
  return (
    quote > 0 &&
    /[^,;\t|]/.test(text[start + quote - 1] as string) &&
    hasOddQuotes(text, start, end)
  );
}

const hasOddQuotes = (text: string, start: number, end: number): boolean =>
  (text.slice(start, end).match(/"/g)?.length ?? 0) % 2 === 1;

/** The delimiter of the record at `start`; a comma if it has none. */
function delimiterOf(text: string, start: number): Delimiter {
  let isQuoted = false;
  for (const character of text.slice(start, start + MAX_RECORD_CHARACTERS)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (",;\t|".includes(character)) return character as Delimiter;
    else if (character === "\n" || character === "\r") break;
  }
  return ",";
}
