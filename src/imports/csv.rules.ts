/**
 * One record of a CSV file. `row` is the line it begins on, from 1, `lastRow` the one it ends on. With a `fault` its fields
 * are not to be trusted; a record that is `isFragment` is more of the broken one before it.
 */
export type CsvRecord = {
  row: number;
  lastRow: number;
  /** The place behind it, in characters of the file. */
  end: number;
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
/** How often the characters of a file, and those of the longest record, are read again to find out where a broken one ends. */
const [MOST_READINGS, MOST_READINGS_OF_RECORD] = [4, 8];
const [LINE_FEED, RETURN] = [10, 13];
const LINE_BREAK = /[\r\n]/g;
const CELL_END: Record<Delimiter, RegExp> = { ",": /[,\r\n]/g, ";": /[;\r\n]/g, "\t": /[\t\r\n]/g, "|": /[|\r\n]/g };
/** Empty lines between two records without fields. */
const BLANK_LINES_AT_ONCE = 100_000;

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
 * A long stretch of empty lines has records without fields, so that the reader may pause there.
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
  for (let next = lineBreakAt(text, at); next > at; next = lineBreakAt(text, at)) {
    at = next;
    row++;
  }
  const delimiter = (separator?.[1] as Delimiter | undefined) ?? delimiterOf(text, at);
  const budget = { characters: Math.max(text.length * MOST_READINGS, 1_000_000) };
  let width = 0;
  // In a cell of a broken record whose quote was not closed yet, as far as quotes come in pairs.
  let isOpen = false;
  let blankCount = 0;
  while (at < text.length) {
    const blank = lineBreakAt(text, at);
    if (blank > at) {
      at = blank;
      row++;
      if (width > 0 && ++blankCount % BLANK_LINES_AT_ONCE === 0) {
        yield { row: row - 1, lastRow: row - 1, end: at, fields: [], delimiter, fault: null, isFragment: false };
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
    const isFragment: boolean = isOpen && fault !== null;
    yield { row, lastRow: row + lines - 1, end: reading.end, fields: reading.fields, delimiter, fault, isFragment };
    if (width === 0) width = fault ? 1 : reading.fields.length;
    isOpen = (fault?.code === "quotes" || isFragment) && isFragment !== hasOddQuotes(text, at, reading.end);
    at = reading.end;
    row += lines;
  }
}

function readRecord(text: string, at: number, delimiter: Delimiter, width: number, budget: { characters: number }) {
  let left = MOST_READINGS_OF_RECORD * MOST_RECORD_CHARACTERS;
  const mayTry = () => left > 0 && budget.characters > 0;
  const attempt = (start: number, manner: Manner) => {
    const reading = readCells(text, start, delimiter, width, manner);
    const readCount = Math.min(reading.end - start, MOST_RECORD_CHARACTERS);
    left -= readCount;
    budget.characters -= readCount;
    return reading;
  };
  const fits = ({ fields, isClosed, isTooLong }: Reading) =>
    isClosed && !isTooLong && (width === 0 || isWide(fields, width));
  /** Whether one of the lines behind the first is a good record by itself, or that would take too long to find out. */
  const swallowsOne = ({ end }: Reading) => {
    for (let line = lineEnd(text, at); line < end; line = lineEnd(text, line)) {
      if (!mayTry() || fits(attempt(line, STRICT))) return true;
    }
    return false;
  };
  const isGood = (reading: Reading) => fits(reading) && !(reading.isIrregular && swallowsOne(reading));
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
      const end = placeOf(CELL_END[delimiter], text, at);
      field = text.slice(at, end);
      at = end;
    }
    fields.push(field);
    if (at > limit) return { fields, end: lineEnd(text, at), isIrregular, isClosed: true, isTooLong: true };
    if (at >= text.length || text[at] !== delimiter) break;
    at++;
  }
  return { fields, end: lineBreakAt(text, at), isIrregular, isClosed: true, isTooLong: false };
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

/** Where `pattern` is found next, or the end. */
function placeOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.index ?? text.length;
}

/** Behind the line break at `at`; `at` itself when there is none. */
function lineBreakAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === LINE_FEED) return at + 1;
  if (code !== RETURN) return at;
  return text.charCodeAt(at + 1) === LINE_FEED ? at + 2 : at + 1;
}

/** Behind the next line break. */
const lineEnd = (text: string, at: number): number => lineBreakAt(text, placeOf(LINE_BREAK, text, at));

function linesIn(text: string, start: number, end: number): number {
  let lines = 0;
  for (let at = start; at < end; lines++) at = Math.min(lineEnd(text, at), text.length);
  return Math.max(lines, 1);
}

const hasOddQuotes = (text: string, start: number, end: number): boolean =>
  (text.slice(start, end).match(/"/g)?.length ?? 0) % 2 === 1;

/** A comma when there is none in the record at `start`. */
function delimiterOf(text: string, start: number): Delimiter {
  let isQuoted = false;
  for (const character of text.slice(start, start + MOST_RECORD_CHARACTERS)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (",;\t|".includes(character)) return character as Delimiter;
    else if (character === "\n" || character === "\r") break;
  }
  return ",";
}
