import {
  type Delimiter,
  lineEnd,
  MAX_RECORD_CHARACTERS,
  type ParsedRecord,
  parseRecord,
  type QuoteDialect,
  skipLineBreak,
} from "./csv-record.rules.ts";

/**
 * One record of a CSV file. `line` is its first line, from 1. The fields of a record with a `fault`
 * are meaningless. A record that `isFragment` continues the broken one before it.
 */
export type CsvRecord = {
  line: number;
  lastLine: number;
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
const [MAX_PASSES, MAX_PASSES_OF_RECORD] = [4, 8];
/** In a run of empty lines, one record without fields is yielded per this many lines. */
const BLANK_LINES_PER_RECORD = 100_000;

const STRICT: QuoteDialect = { doubledQuote: "strict", allowsLineBreaks: false };
/** Tried in this order if a record is not valid in the strict dialect. */
const LENIENT_DIALECTS: QuoteDialect[] = [
  { doubledQuote: "lenient", allowsLineBreaks: false },
  { doubledQuote: "strict", allowsLineBreaks: true },
  { doubledQuote: "lenient", allowsLineBreaks: true },
];

/**
 * The records of a CSV file (RFC 4180), in order. Lines may end in LF, CRLF or CR. Empty lines, a
 * byte order mark and a first line `sep=;` are skipped. The delimiter is the first of `,`, `;`, tab
 * and `|` outside quotes in the first record, which also sets the number of columns.
 *
 * A long run of empty lines yields records without fields, so that the caller can pause there.
 *
 * A quote that is not doubled is text if no field can end there. A record that cannot be parsed is
 * one fault, and parsing continues at its second line, so that a quote that is never closed does
 * not swallow the file. Each character is parsed a bounded number of times.
 */
export function* readCsv(text: string): Generator<CsvRecord> {
  const { delimiter, ...start } = findStart(text);
  let { index, line } = start;
  const budget = { characters: Math.max(text.length * MAX_PASSES, 1_000_000) };
  let columnCount = 0;
  // Inside an unclosed field of a broken record, judging by the parity of its quotes.
  let isOpen = false;
  let [wasBroken, blankCount] = [false, 0];
  while (index < text.length) {
    const nextLine = skipLineBreak(text, index);
    if (nextLine > index) {
      index = nextLine;
      if (columnCount > 0 && ++blankCount % BLANK_LINES_PER_RECORD === 0)
        yield blankRecord(line, index, delimiter);
      line++;
      continue;
    }
    const { record, fault }: { record: ParsedRecord; fault: CsvRecord["fault"] } = readRecord(
      text,
      index,
      delimiter,
      columnCount,
      budget,
    );
    const { fields, end } = record;
    const lastLine = line + countLines(text, index, end) - 1;
    const isFragment: boolean =
      fault !== null && (isOpen || (wasBroken && isContinuation(text, index, record, columnCount)));
    wasBroken = fault !== null;
    yield { line, lastLine, end, fields, delimiter, fault, isFragment };
    if (columnCount === 0) columnCount = fault ? 1 : fields.length;
    isOpen =
      (fault?.code === "quotes" || isFragment) && isFragment !== hasOddQuotes(text, index, end);
    index = end;
    line = lastLine + 1;
  }
}

const blankRecord = (line: number, end: number, delimiter: Delimiter): CsvRecord => ({
  line,
  lastLine: line,
  end,
  fields: [],
  delimiter,
  fault: null,
  isFragment: false,
});

/** Where the first record begins, and the delimiter. */
function findStart(text: string): { index: number; line: number; delimiter: Delimiter } {
  let index = text.startsWith(BYTE_ORDER_MARK) ? 1 : 0;
  let line = 1;
  const separator = SEPARATOR_LINE.exec(text.slice(index, index + 16));
  if (separator) {
    index += separator[0].length;
    line++;
  }
  for (let next = skipLineBreak(text, index); next > index; next = skipLineBreak(text, index)) {
    index = next;
    line++;
  }
  const declared = separator?.[1] as Delimiter | undefined;
  return { index, line, delimiter: declared ?? detectDelimiter(text, index) };
}

function readRecord(
  text: string,
  start: number,
  delimiter: Delimiter,
  columnCount: number,
  budget: { characters: number },
) {
  let remaining = MAX_PASSES_OF_RECORD * MAX_RECORD_CHARACTERS;
  const hasBudget = () => remaining > 0 && budget.characters > 0;
  const parse = (from: number, dialect: QuoteDialect) => {
    const record = parseRecord(text, from, delimiter, columnCount, dialect);
    const readCount = Math.min(record.end - from, MAX_RECORD_CHARACTERS);
    remaining -= readCount;
    budget.characters -= readCount;
    return record;
  };
  const fits = ({ fields, isClosed, isTooLong }: ParsedRecord) =>
    isClosed && !isTooLong && (columnCount === 0 || hasColumns(fields, columnCount));
  /** Whether a later line is a valid record by itself, or the budget does not allow finding out. */
  const swallowsRecord = ({ end }: ParsedRecord) => {
    for (let line = lineEnd(text, start); line < end; line = lineEnd(text, line)) {
      if (!hasBudget() || fits(parse(line, STRICT))) return true;
    }
    return false;
  };
  const isValid = (record: ParsedRecord) =>
    fits(record) && !(record.isIrregular && swallowsRecord(record));
  const strict = parse(start, STRICT);
  if (isValid(strict)) return { record: strict, fault: null };
  if (strict.isTooLong && strict.isClosed) return { record: strict, fault: LENGTH_FAULT };
  if (strict.isIrregular || !strict.isClosed) {
    for (const dialect of LENIENT_DIALECTS) {
      if (!hasBudget()) break;
      const record = parse(start, dialect);
      if (isValid(record)) return { record, fault: null };
    }
  }
  if (strict.isClosed && !strict.isIrregular)
    return { record: strict, fault: columnsFault(columnCount) };
  // Only the first line is dropped, since the rest may be valid; beyond the budget, the whole
  // record is.
  const end = budget.characters > 0 ? lineEnd(text, start) : strict.end;
  const isTooLong = end - start > MAX_RECORD_CHARACTERS;
  return { record: { ...strict, end }, fault: isTooLong ? LENGTH_FAULT : QUOTES_FAULT };
}

const columnsFault = (count: number) =>
  ({ code: "columns", message: `Must have ${count} columns, as the header has` }) as const;

const hasColumns = (fields: string[], count: number) =>
  fields.length >= count && fields.slice(count).every((field) => field === "");

function countLines(text: string, start: number, end: number): number {
  let count = 0;
  for (let index = start; index < end; count++) index = Math.min(lineEnd(text, index), text.length);
  return Math.max(count, 1);
}

/**
 * Whether it is the rest of a broken multi-line record: too few fields, and a quote that was opened
 * before.
 */
function isContinuation(
  text: string,
  start: number,
  { fields, end }: ParsedRecord,
  columnCount: number,
): boolean {
  if (fields.length >= columnCount) return false;
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
function detectDelimiter(text: string, start: number): Delimiter {
  let isQuoted = false;
  for (const character of text.slice(start, start + MAX_RECORD_CHARACTERS)) {
    if (character === '"') isQuoted = !isQuoted;
    else if (isQuoted) continue;
    else if (",;\t|".includes(character)) return character as Delimiter;
    else if (character === "\n" || character === "\r") break;
  }
  return ",";
}
