import { printable } from "../http/formats.ts";
import type { Delimiter } from "./csv.rules.ts";
import type { RowError } from "./formats.rules.ts";

/** The first line of a file: where each column stands, by its name in lower case. */
export type Header = { columns: Map<string, number>; names: string[]; delimiter: Delimiter };
/** A line of the file below its header. `error` is the first that reading its cells met with. */
export type Row = { line: number; header: Header; fields: string[]; error: RowError | null };

/** Of the same names the first column counts. */
export function headerOf(fields: string[], delimiter: Delimiter): Header {
  const names = fields.map((field) => field.trim());
  const columns = new Map<string, number>();
  names.forEach((name, at) => {
    if (!columns.has(name.toLowerCase())) columns.set(name.toLowerCase(), at);
  });
  return { columns, names, delimiter };
}

/** A row to read cells of; refused already when it has another number of columns than the header. */
export function rowOf(header: Header, line: number, fields: string[]): Row {
  const row: Row = { line, header, fields, error: null };
  const width = header.names.length;
  if (fields.length < width || fields.slice(width).some((field) => field !== "")) {
    row.error = { row: line, code: "columns", message: `Must have ${width} columns, as the header has` };
  }
  return row;
}

/** Notes what is wrong with a cell, unless something was before. `message` goes on from the name of the column. */
export function refuse(row: Row, column: string, code: string, message: string): null {
  const name = row.header.names[row.header.columns.get(column) ?? -1] ?? column;
  row.error ??= { row: row.line, code, message: `${name}: ${message}` };
  return null;
}

/** The text of a cell, trimmed; empty when there is no such column. */
export function textIn(row: Row, column: string): string {
  const at = row.header.columns.get(column);
  return at === undefined ? "" : (row.fields[at] ?? "").trim();
}

const NAME_LENGTH = 100;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** A name with single spaces, at most 100 characters; null when the cell is empty. */
export function nameIn(row: Row, column: string): string | null {
  const text = textIn(row, column);
  if (/(?!\s)\p{Cc}/u.test(text)) return refuse(row, column, "format", "must not have control characters");
  const name = printable(text);
  if (name === "") return text === "" ? null : refuse(row, column, "format", "must have a character that can be seen");
  if (isLonger(name, NAME_LENGTH)) return refuseLength(row, column, NAME_LENGTH);
  return VISIBLE.test(name) ? name : refuse(row, column, "format", "must have a character that can be seen");
}

/** A text of at most `most` characters, line breaks and all; null when the cell is empty. */
export function noteIn(row: Row, column: string, most: number): string | null {
  const note = textIn(row, column);
  if (note === "") return null;
  if (isLonger(note, most)) return refuseLength(row, column, most);
  return note.includes("\0") ? refuse(row, column, "format", "must not have NUL characters") : note;
}

/** What `notes` says with `added`, in a line of its own unless it says so already; `most` characters together. */
export function withNote(row: Row, column: string, most: number, notes: string | null, added: string | null) {
  if (added === null || notes?.includes(added)) return notes;
  const together = notes === null ? added : `${notes}\n${added}`;
  return isLonger(together, most) ? refuseLength(row, column, most) : together;
}

/**
 * A number from `least` to `most`; null when the cell is empty. A comma stands for the decimal point only in a file
 * that separates its columns by something else.
 */
export function numberIn(row: Row, column: string, least: number, most: number): number | null {
  const text = textIn(row, column);
  if (text === "") return null;
  const plain = row.header.delimiter === ";" ? text.replace(",", ".") : text;
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(plain)) return refuse(row, column, "number", "must be a number");
  const number = Number(plain);
  return number >= least && number <= most
    ? number
    : refuse(row, column, "range", most === Infinity ? "must not be negative" : `must be from ${least} to ${most}`);
}

/** A whole number from 0 to `most`, `8.0` being one; null when the cell is empty. */
export function wholeIn(row: Row, column: string, most: number): number | null {
  const number = numberIn(row, column, 0, most);
  if (number === null || Number.isInteger(number)) return number;
  return refuse(row, column, "number", "must be a whole number");
}

/** As PostgreSQL counts: by code points. */
const isLonger = (text: string, most: number) => text.length > most && [...text].length > most;

const refuseLength = (row: Row, column: string, most: number) =>
  refuse(row, column, "too_long", `must have at most ${most} characters`);
