import { hasAtMost, isTitle, printable } from "../http/formats.ts";
import type { Delimiter } from "./csv-cells.rules.ts";
import type { CellNote, RowError } from "./formats.rules.ts";

/** The header of a file: the index of each column, by its name in lower case. */
export type Header = { columns: Map<string, number>; names: string[]; delimiter: Delimiter };
/**
 * A line of the file below its header. `error` leaves it out; `notes` are cells that were not
 * stored as they are.
 */
export type Row = {
  line: number;
  header: Header;
  fields: string[];
  error: RowError | null;
  notes: CellNote[];
};

/** If a column name repeats, the first one wins. */
export function headerOf(fields: string[], delimiter: Delimiter): Header {
  const names = fields.map((field) => field.trim());
  const columns = new Map<string, number>();
  names.forEach((name, at) => {
    if (!columns.has(name.toLowerCase())) columns.set(name.toLowerCase(), at);
  });
  return { columns, names, delimiter };
}

export const rowOf = (header: Header, line: number, fields: string[]): Row => ({
  line,
  header,
  fields,
  error: null,
  notes: [],
});

/** Whether all its cells are empty. */
export const isBlank = ({ fields }: Row): boolean => fields.every((field) => field.trim() === "");

/** Refuses a row; the first reason wins. `message` continues the name of the column. */
export function refuse(row: Row, column: string, code: string, message: string): null {
  const name = columnName(row, column);
  row.error ??= { row: row.line, column: name, code, message: `${name}: ${message}` };
  return null;
}

/** Notes a cell that is left out or stored in another form; the rest of its row is read. */
export function noteCell(row: Row, column: string, code: string, message: string): null {
  const name = columnName(row, column);
  row.notes.push({ row: row.line, column: name, code, message: `${name}: ${message}` });
  return null;
}

const columnName = (row: Row, column: string) =>
  row.header.names[row.header.columns.get(column) ?? -1] ?? column;

/** The text of a cell, trimmed; empty if there is no such column. */
export function textIn(row: Row, column: string): string {
  const at = row.header.columns.get(column);
  return at === undefined ? "" : (row.fields[at] ?? "").trim();
}

const NAME_LENGTH = 100;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/**
 * A name as it is stored and shown: a title, without the characters that titles may not have; null
 * if nothing is left.
 */
export function shownName(name: string): string | null {
  const shown = printable(cut(printable(name), NAME_LENGTH));
  return isTitle(shown) ? shown : null;
}

/**
 * A name as in the file, with single spaces, at most 100 characters; null if it is invalid, which
 * refuses the row.
 */
export function requiredNameIn(row: Row, column: string): string | null {
  const name = textIn(row, column).replace(/\s+/gu, " ");
  if (name === "") return refuse(row, column, "required", "must not be empty");
  if (isLonger(name, NAME_LENGTH))
    return refuse(row, column, "too_long", lengthMessage(NAME_LENGTH));
  if (/\p{Cc}/u.test(name))
    return refuse(row, column, "format", "must not have control characters");
  if (shownName(name) === null)
    return refuse(row, column, "format", "must have a character that can be seen");
  if (printable(name) !== name.normalize("NFC"))
    noteCell(row, column, "format", "is kept without invisible characters");
  return name;
}

/**
 * The name that identifies a workout: single spaces, no control characters, at most 100 characters;
 * null if empty.
 */
export function keptName(text: string): string | null {
  const name = cut(text.replace(/[\s\p{Cc}]+/gu, " ").trim(), NAME_LENGTH);
  return VISIBLE.test(name) ? name : null;
}

/** The stored form of a name, with a note if it was shortened. */
export function nameIn(row: Row, column: string): string | null {
  const text = textIn(row, column);
  const name = keptName(text);
  if (text === "" || name === text.replace(/\s+/gu, " ")) return name;
  if (name === null)
    return noteCell(row, column, "format", "must have a character that can be seen");
  const isCut = isLonger(text, NAME_LENGTH);
  if (isCut) noteCell(row, column, "too_long", `is kept up to ${NAME_LENGTH} characters`);
  else noteCell(row, column, "format", "is kept without control characters");
  return name;
}

/**
 * A text with its line breaks, truncated to `most` characters with a note; null if the cell is
 * empty.
 */
export function noteIn(row: Row, column: string, most: number): string | null {
  const text = textIn(row, column);
  if (text === "") return null;
  const note = text.replaceAll("\0", "");
  if (note !== text) noteCell(row, column, "format", "is kept without NUL characters");
  if (isLonger(note, most)) noteCell(row, column, "too_long", `is kept up to ${most} characters`);
  return note === "" ? null : cut(note, most);
}

/**
 * Appends `added` to `notes` as a line, unless it is there already; truncated to `most` characters
 * with a note.
 */
export function withNote(
  row: Row,
  column: string,
  most: number,
  notes: string | null,
  added: string | null,
) {
  if (added === null || notes?.includes(added)) return notes;
  const together = notes === null ? added : `${notes}\n${added}`;
  if (isLonger(together, most))
    noteCell(row, column, "too_long", `is kept up to ${most} characters together`);
  return cut(together, most);
}

const MAX_DIGITS = 100;

/**
 * A number from `least` to `most`; null if the cell is empty, or invalid, which is noted. A comma
 * is a decimal point in a file with another delimiter, and otherwise unless three digits follow,
 * which may be thousands.
 */
export function numberIn(row: Row, column: string, least: number, most: number): number | null {
  // Some languages use U+2212 as the minus sign.
  const text = textIn(row, column).replace(/^\u2212/, "-");
  if (text === "") return null;
  if (text.length > MAX_DIGITS) return noteCell(row, column, "number", "must be a number");
  const isThousands = row.header.delimiter === "," && /,\d{3}$/.test(text);
  const plain = isThousands ? text : text.replace(",", ".");
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(plain))
    return noteCell(row, column, "number", "must be a number");
  const number = Number(plain);
  if (number >= least && number <= most) return number;
  return noteCell(
    row,
    column,
    "range",
    most === Infinity ? "must not be negative" : `must be from ${least} to ${most}`,
  );
}

/**
 * A whole number from 0 to `most`, also as `8.0`; null if the cell is empty, or invalid, which is
 * noted.
 */
export function wholeIn(row: Row, column: string, most: number): number | null {
  const number = numberIn(row, column, 0, most);
  if (number === null || Number.isInteger(number)) return number;
  return noteCell(row, column, "number", "must be a whole number");
}

const isLonger = (text: string, most: number): boolean => !hasAtMost(text, most);
const lengthMessage = (most: number) => `must have at most ${most} characters`;

/** At most the first `most` characters. */
export const cut = (text: string, most: number): string =>
  isLonger(text, most) ? [...text.slice(0, 2 * most)].slice(0, most).join("").trimEnd() : text;
