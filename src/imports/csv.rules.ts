/**
 * One record of a CSV file. `row` is the line it begins on, from 1, `lastRow` the one it ends on. With a `fault` its fields
 * are not to be trusted; a record that is `isFragment` is more of the broken one before it.
 */
export type CsvRecord = {
  row: number;
  lastRow: number;
  fields: string[];
  delimiter: Delimiter;
  fault: { code: "quotes" | "record_too_long" | "columns"; message: string } | null;
  isFragment: boolean;
};
export type Delimiter = "," | ";" | "\t" | "|";

export const MOST_RECORD_CHARACTERS = 65_536;

const QUOTES_FAULT = { code: "quotes", message: "A quote stands where none may, or is never closed" } as const;
const LENGTH_FAULT = {
  code: "record_too_long",
  message: `A row has at most ${MOST_RECORD_CHARACTERS} characters`,
} as const;
const BYTE_ORDER_MARK = "\uFEFF";
const SEPARATOR_LINE = /^"?sep=([,;\t|])"?(?:\r\n|\n|\r|$)/i;
/** How often the characters of a file are read again to find out where a broken record ends. */
const MOST_READINGS = 4;

/** A record as one way of reading it has it: where it ends (behind its line break), and what is odd about it. */
type Reading = {
  fields: string[];
  end: number;
  /** Quotes stood in a quoted cell that were not doubled. */
  isIrregular: boolean;
  isClosed: boolean;
  isTooLong: boolean;
};
/**
 * `strict` reads doubled quotes as RFC 4180 has it; `loose` takes the second of two for the end where a cell may end. With
 * `mayGoOn` a line break ends no quoted cell before the last column.
 */
type Manner = { doubled: "strict" | "loose"; mayGoOn: boolean };
const STRICT: Manner = { doubled: "strict", mayGoOn: false };
const LOOSER: Manner[] = [
  { doubled: "loose", mayGoOn: false },
  { doubled: "strict", mayGoOn: true },
  { doubled: "loose", mayGoOn: true },
];

/**
 * The records of a CSV file (RFC 4180), in order. Lines may end in LF, CRLF or CR; empty ones are left out, so are a byte
 * order mark and a first line `sep=;`. The delimiter is whichever of `,`, `;`, tab and `|` stands first outside quotes in
 * the first record, which also says how many cells a record has.
 *
 * A quote that is not doubled is text where no cell can end. A record that cannot be made sense of is one fault; what
 * follows is read from its second line on, lest a quote that is never closed swallow the file. Reads every character a
 * few times at most.
 */
export function* readCsv(text: string): Generator<CsvRecord> {
  let at = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let row = 1;
  const separator = SEPARATOR_LINE.exec(text.slice(at, at + 16));
  if (separator) {
    at += separator[0].length;
    row++;
  }
  const delimiter = (separator?.[1] as Delimiter | undefined) ?? delimiterOf(text, at);
  const budget = { characters: Math.max(text.length * MOST_READINGS, 1_000_000) };
  let width = 0;
  // In a cell of a broken record whose quote was not closed yet, as far as quotes come in pairs.
  let isOpen = false;
  while (at < text.length) {
    const blank = lineBreakAt(text, at);
    if (blank > at) {
      [at, row] = [blank, row + 1];
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
    const isFragment: boolean = isOpen && fault !== null;
    yield { row, lastRow: row + lines - 1, fields: reading.fields, delimiter, fault, isFragment };
    if (width === 0) width = fault ? 1 : reading.fields.length;
    isOpen = (fault?.code === "quotes" || isFragment) && isFragment !== hasOddQuotes(text, at, reading.end);
    at = reading.end;
    row += lines;
  }
}

function readRecord(text: string, at: number, delimiter: Delimiter, width: number, budget: { characters: number }) {
  const attempt = (start: number, manner: Manner) => {
    const reading = readCells(text, start, delimiter, width, manner);
    budget.characters -= reading.end - start;
    return reading;
  };
  const fits = ({ fields, isClosed, isTooLong }: Reading) =>
    isClosed && !isTooLong && (width === 0 || isWide(fields, width));
  /** Whether one of the lines behind the first is a good record by itself. */
  const swallowsOne = ({ end }: Reading) => {
    for (let line = lineEnd(text, at); line < end; line = lineEnd(text, line)) {
      if (fits(attempt(line, STRICT))) return true;
    }
    return false;
  };
  const isGood = (reading: Reading) => fits(reading) && !(reading.isIrregular && swallowsOne(reading));
  const first = attempt(at, STRICT);
  if (isGood(first)) return { reading: first, fault: null };
  if (first.isTooLong && first.isClosed) return { reading: first, fault: LENGTH_FAULT };
  if (first.isIrregular || !first.isClosed) {
    for (const manner of LOOSER) {
      if (budget.characters <= 0) break;
      const other = attempt(at, manner);
      if (isGood(other)) return { reading: other, fault: null };
    }
  }
  if (first.isClosed && !first.isIrregular) return { reading: first, fault: columnsFault(width) };
  // The first line only, for what follows may be good, while looking for that does not cost too much.
  const end = budget.characters > 0 ? lineEnd(text, at) : first.end;
  const isTooLong = end - at > MOST_RECORD_CHARACTERS;
  return { reading: { ...first, end }, fault: isTooLong ? LENGTH_FAULT : QUOTES_FAULT };
}

const columnsFault = (width: number) =>
  ({ code: "columns", message: `Must have ${width} columns, as the header has` }) as const;

const isWide = (fields: string[], width: number) =>
  fields.length >= width && fields.slice(width).every((field) => field === "");

function readCells(text: string, start: number, delimiter: Delimiter, width: number, manner: Manner): Reading {
  const limit = Math.min(text.length, start + MOST_RECORD_CHARACTERS);
  const fields: string[] = [];
  let isIrregular = false;
  let at = start;
  for (;;) {
    let field: string;
    if (text[at] === '"') {
      const cell = quotedCell(text, at, limit, delimiter, { ...manner, isLast: fields.length + 1 >= width });
      isIrregular ||= cell.isIrregular;
      if (!cell.isClosed) {
        const isTooLong = limit < text.length;
        const end = isTooLong ? lineEnd(text, limit) : text.length;
        return { fields, end, isIrregular, isClosed: false, isTooLong };
      }
      [field, at] = [cell.text, cell.end];
    } else {
      const end = plainEnd(text, at, delimiter);
      [field, at] = [text.slice(at, end), end];
    }
    fields.push(field);
    if (at >= text.length || text[at] !== delimiter) break;
    at++;
  }
  const isTooLong = at - start > MOST_RECORD_CHARACTERS;
  return { fields, end: lineBreakAt(text, at), isIrregular, isClosed: true, isTooLong };
}

function quotedCell(
  text: string,
  start: number,
  limit: number,
  delimiter: Delimiter,
  { doubled, mayGoOn, isLast }: Manner & { isLast: boolean },
) {
  let isIrregular = false;
  let content = "";
  let from = start + 1;
  const mayEndAt = (at: number) =>
    at >= text.length || text[at] === delimiter || ((text[at] === "\n" || text[at] === "\r") && (isLast || !mayGoOn));
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0 || quote >= limit) return { text: "", end: limit, isClosed: false, isIrregular };
    content += text.slice(from, quote);
    if (text[quote + 1] === '"') {
      content += '"';
      from = quote + 2;
      if (doubled === "loose" && mayEndAt(from)) return { text: content, end: from, isClosed: true, isIrregular: true };
    } else if (mayEndAt(quote + 1)) {
      return { text: content, end: quote + 1, isClosed: true, isIrregular };
    } else {
      content += '"';
      isIrregular = true;
      from = quote + 1;
    }
  }
}

/** Where a cell without quotes ends: at the next delimiter or line break. */
function plainEnd(text: string, at: number, delimiter: Delimiter): number {
  let end = at;
  while (end < text.length && text[end] !== delimiter && text[end] !== "\n" && text[end] !== "\r") end++;
  return end;
}

/** Behind the line break at `at`; `at` itself when there is none. */
function lineBreakAt(text: string, at: number): number {
  if (text[at] === "\n") return at + 1;
  if (text[at] !== "\r") return at;
  return text[at + 1] === "\n" ? at + 2 : at + 1;
}

/** Behind the next line break. */
function lineEnd(text: string, at: number): number {
  let end = at;
  while (end < text.length && text[end] !== "\n" && text[end] !== "\r") end++;
  return lineBreakAt(text, end);
}

function linesIn(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; lines++) at = Math.min(lineEnd(text, at), text.length);
  return Math.max(lines, 1);
}

const hasOddQuotes = (text: string, start: number, end: number): boolean =>
  (text.slice(start, end).match(/"/g)?.length ?? 0) % 2 === 1;

/** A comma when there is none in the first line that is not empty. */
function delimiterOf(text: string, start: number): Delimiter {
  let isQuoted = false;
  let isEmpty = true;
  for (let at = start; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (",;\t|".includes(character)) return character as Delimiter;
    else if (character === "\n" || character === "\r") {
      if (!isEmpty) break;
      continue;
    }
    isEmpty = false;
  }
  return ",";
}
