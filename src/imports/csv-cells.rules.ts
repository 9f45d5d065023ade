export type Delimiter = "," | ";" | "\t" | "|";

export const MAX_RECORD_CHARACTERS = 65_536;

const [LINE_FEED, RETURN] = [10, 13];
const LINE_BREAK = /[\r\n]/g;
const CELL_END: Record<Delimiter, RegExp> = {
  ",": /[,\r\n]/g,
  ";": /[;\r\n]/g,
  "\t": /[\t\r\n]/g,
  "|": /[|\r\n]/g,
};

/** A record as parsed in one way. `end` is behind its line break. */
export type Reading = {
  fields: string[];
  end: number;
  /** A quoted cell contains quotes that are not doubled. */
  isIrregular: boolean;
  isClosed: boolean;
  isTooLong: boolean;
};
/**
 * `strict` reads doubled quotes as RFC 4180 does; `loose` takes the second quote as the end of the
 * cell where a cell may end. With `mayGoOn`, a line break ends a quoted cell only in the last
 * column.
 */
export type Manner = { doubled: "strict" | "loose"; mayGoOn: boolean };

/** Parses the record at `start`, of `width` columns (0: any number). */
export function readCells(
  text: string,
  start: number,
  delimiter: Delimiter,
  width: number,
  manner: Manner,
): Reading {
  const limit = Math.min(text.length, start + MAX_RECORD_CHARACTERS);
  const fields: string[] = [];
  let isIrregular = false;
  let at = start;
  for (;;) {
    let field: string;
    if (text[at] === '"') {
      const cell = quotedCell(text, at, limit, delimiter, {
        ...manner,
        isLast: fields.length + 1 >= width,
      });
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
    if (at > limit)
      return { fields, end: lineEnd(text, at), isIrregular, isClosed: true, isTooLong: true };
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
    at >= text.length ||
    text[at] === delimiter ||
    ((text[at] === "\n" || text[at] === "\r") && (isLast || !mayGoOn));
  for (;;) {
    const quote = text.indexOf('"', from);
    if (quote < 0 || quote >= limit) return { text: "", end: limit, isClosed: false, isIrregular };
    content += text.slice(from, quote);
    if (text[quote + 1] === '"') {
      content += '"';
      from = quote + 2;
      if (doubled === "loose" && mayEndAt(from))
        return { text: content, end: from, isClosed: true, isIrregular: true };
    } else if (mayEndAt(quote + 1)) {
      return { text: content, end: quote + 1, isClosed: true, isIrregular };
    } else {
      content += '"';
      isIrregular = true;
      from = quote + 1;
    }
  }
}

/** The index of the next match of `pattern`, or the end of the text. */
function placeOf(pattern: RegExp, text: string, at: number): number {
  pattern.lastIndex = at;
  return pattern.exec(text)?.index ?? text.length;
}

/** The index after the line break at `at`; `at` itself if there is none. */
export function lineBreakAt(text: string, at: number): number {
  const code = text.charCodeAt(at);
  if (code === LINE_FEED) return at + 1;
  if (code !== RETURN) return at;
  return text.charCodeAt(at + 1) === LINE_FEED ? at + 2 : at + 1;
}

/** The index after the next line break. */
export const lineEnd = (text: string, at: number): number =>
  lineBreakAt(text, placeOf(LINE_BREAK, text, at));
