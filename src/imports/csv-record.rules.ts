export type Delimiter = "," | ";" | "\t" | "|";

export const MAX_RECORD_CHARACTERS = 65_536;

const [LINE_FEED, CARRIAGE_RETURN] = [10, 13];
const LINE_BREAK = /[\r\n]/g;
const FIELD_END: Record<Delimiter, RegExp> = {
  ",": /[,\r\n]/g,
  ";": /[;\r\n]/g,
  "\t": /[\t\r\n]/g,
  "|": /[|\r\n]/g,
};

/** A record as parsed in one dialect. `end` is the index after its line break. */
export type ParsedRecord = {
  fields: string[];
  end: number;
  /** A quoted field contains quotes that are not doubled. */
  isIrregular: boolean;
  /** No quoted field is left open at the end. */
  isClosed: boolean;
  isTooLong: boolean;
};
/**
 * How quotes are read. `strict` reads a doubled quote as one quote, as RFC 4180 does; `lenient`
 * takes its second quote as the closing one where a field may end. With `allowsLineBreaks`, a line
 * break after a quote ends the field only in the last column.
 */
export type QuoteDialect = { doubledQuote: "strict" | "lenient"; allowsLineBreaks: boolean };

/** Parses the record at `start`, of `columnCount` columns (0: any number). */
export function parseRecord(
  text: string,
  start: number,
  delimiter: Delimiter,
  columnCount: number,
  dialect: QuoteDialect,
): ParsedRecord {
  const limit = Math.min(text.length, start + MAX_RECORD_CHARACTERS);
  const fields: string[] = [];
  let isIrregular = false;
  let index = start;
  for (;;) {
    let field: string;
    if (text[index] === '"') {
      const isLast = fields.length + 1 >= columnCount;
      const quoted = parseQuotedField(text, index, limit, delimiter, { ...dialect, isLast });
      isIrregular ||= quoted.isIrregular;
      if (!quoted.isClosed) {
        const isTooLong = limit < text.length;
        const end = isTooLong ? lineEnd(text, limit) : text.length;
        return { fields, end, isIrregular, isClosed: false, isTooLong };
      }
      [field, index] = [quoted.value, quoted.end];
    } else {
      const end = indexOfMatch(FIELD_END[delimiter], text, index);
      field = text.slice(index, end);
      index = end;
    }
    fields.push(field);
    if (index > limit)
      return { fields, end: lineEnd(text, index), isIrregular, isClosed: true, isTooLong: true };
    if (index >= text.length || text[index] !== delimiter) break;
    index++;
  }
  return { fields, end: skipLineBreak(text, index), isIrregular, isClosed: true, isTooLong: false };
}

function parseQuotedField(
  text: string,
  start: number,
  limit: number,
  delimiter: Delimiter,
  { doubledQuote, allowsLineBreaks, isLast }: QuoteDialect & { isLast: boolean },
) {
  let isIrregular = false;
  let value = "";
  let from = start + 1;
  const mayEndAt = (index: number) =>
    index >= text.length ||
    text[index] === delimiter ||
    ((text[index] === "\n" || text[index] === "\r") && (isLast || !allowsLineBreaks));
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0 || quote >= limit) return { value: "", end: limit, isClosed: false, isIrregular };
    value += text.slice(from, quote);
    if (text[quote + 1] === '"') {
      value += '"';
      from = quote + 2;
      if (doubledQuote === "lenient" && mayEndAt(from))
        return { value, end: from, isClosed: true, isIrregular: true };
    } else if (mayEndAt(quote + 1)) {
      return { value, end: quote + 1, isClosed: true, isIrregular };
    } else {
      value += '"';
      isIrregular = true;
      from = quote + 1;
    }
  }
}

/** The index of the next match of `pattern`, or the end of the text. */
function indexOfMatch(pattern: RegExp, text: string, from: number): number {
  pattern.lastIndex = from;
  return pattern.exec(text)?.index ?? text.length;
}

/** The index after the line break at `index`; `index` itself if there is none. */
export function skipLineBreak(text: string, index: number): number {
  const code = text.charCodeAt(index);
  if (code === LINE_FEED) return index + 1;
  if (code !== CARRIAGE_RETURN) return index;
  return text.charCodeAt(index + 1) === LINE_FEED ? index + 2 : index + 1;
}

/** The index after the next line break. */
export const lineEnd = (text: string, from: number): number =>
  skipLineBreak(text, indexOfMatch(LINE_BREAK, text, from));
