import { hasAtMost, isTitle, printable } from "../http/formats.ts";
import type { Delimiter } from "./csv-record.rules.ts";
import type { Header, Row } from "./formats.types.ts";

export const EXERCISE_NOTES_LENGTH = 1000;
export const WORKOUT_NOTES_LENGTH = 5000;
const NAME_LENGTH = 100;
const MAX_DIGITS = 100;
const VISIBLE = /[\p{L}\p{N}\p{P}\p{S}]/u;

/** If a column name repeats, the first one wins. */
export function createHeader(fields: string[], delimiter: Delimiter): Header {
  const names = fields.map((field) => field.trim());
  const columns = new Map<string, number>();
  for (const [index, name] of names.entries()) {
    if (!columns.has(name.toLowerCase())) columns.set(name.toLowerCase(), index);
  }
  return { columns, names, delimiter };
}

export const createRow = (header: Header, line: number, fields: string[]): Row => ({
  line,
  header,
  fields,
  error: null,
  warnings: [],
});

/** Whether all its cells are empty. */
export const isBlank = ({ fields }: Row): boolean => fields.every((field) => field.trim() === "");

/** Rejects a row; the first reason wins. `message` continues the name of the column. */
export function rejectRow(row: Row, column: string, code: string, message: string): null {
  row.error ??= finding(row, column, code, message);
  return null;
}

/** Reports a cell that is left out or stored in another form; the rest of its row is read. */
export function warnCell(row: Row, column: string, code: string, message: string): null {
  row.warnings.push(finding(row, column, code, message));
  return null;
}

function finding(row: Row, columnKey: string, code: string, message: string) {
  const { columns, names } = row.header;
  const column = names[columns.get(columnKey) ?? -1] ?? columnKey;
  return { row: row.line, column, code, message: `${column}: ${message}` };
}

/** The text of a cell, trimmed; empty if there is no such column. */
export function readText(row: Row, column: string): string {
  const index = row.header.columns.get(column);
  return index === undefined ? "" : (row.fields[index] ?? "").trim();
}

/**
 * A name as it is stored and shown: a title, without the characters that titles may not have; null
 * if nothing is left.
 */
export function displayName(name: string): string | null {
  const title = printable(truncate(printable(name), NAME_LENGTH));
  return isTitle(title) ? title : null;
}

/**
 * The name of an exercise as in the file, with single spaces, at most 100 characters; null if it is
 * invalid, which rejects the row.
 */
export function readExerciseName(row: Row, column: string): string | null {
  const name = readText(row, column).replace(/\s+/gu, " ");
  if (name === "") return rejectRow(row, column, "required", "must not be empty");
  if (isLonger(name, NAME_LENGTH))
    return rejectRow(row, column, "too_long", `must have at most ${NAME_LENGTH} characters`);
  if (/\p{Cc}/u.test(name))
    return rejectRow(row, column, "format", "must not have control characters");
  if (displayName(name) === null)
    return rejectRow(row, column, "format", "must have a character that can be seen");
  if (printable(name) !== name.normalize("NFC"))
    warnCell(row, column, "format", "is kept without invisible characters");
  return name;
}

/**
 * The name that identifies a workout: single spaces, no control characters, at most 100 characters;
 * null if empty.
 */
export function normalizeWorkoutName(text: string): string | null {
  const name = truncate(text.replace(/[\s\p{Cc}]+/gu, " ").trim(), NAME_LENGTH);
  return VISIBLE.test(name) ? name : null;
}

/** Warns if the name of a workout is not stored as it is in the file. */
export function checkWorkoutName(row: Row, column: string): void {
  const text = readText(row, column);
  const name = normalizeWorkoutName(text);
  if (text === "" || name === text.replace(/\s+/gu, " ")) return;
  if (name === null) warnCell(row, column, "format", "must have a character that can be seen");
  else if (isLonger(text, NAME_LENGTH))
    warnCell(row, column, "too_long", `is kept up to ${NAME_LENGTH} characters`);
  else warnCell(row, column, "format", "is kept without control characters");
}

/**
 * A text with its line breaks, truncated to `maxLength` characters with a warning; null if the cell
 * is empty.
 */
export function readNotes(row: Row, column: string, maxLength: number): string | null {
  const text = readText(row, column);
  if (text === "") return null;
  const notes = text.replaceAll("\0", "");
  if (notes !== text) warnCell(row, column, "format", "is kept without NUL characters");
  if (isLonger(notes, maxLength))
    warnCell(row, column, "too_long", `is kept up to ${maxLength} characters`);
  return notes === "" ? null : truncate(notes, maxLength);
}

/**
 * Appends `added` to `notes` as a line, unless they contain it; truncated to `maxLength` characters
 * with a warning.
 */
export function appendNotes(
  row: Row,
  column: string,
  maxLength: number,
  notes: string | null,
  added: string | null,
) {
  if (added === null || notes?.includes(added)) return notes;
  const combined = notes === null ? added : `${notes}\n${added}`;
  if (isLonger(combined, maxLength))
    warnCell(row, column, "too_long", `is kept up to ${maxLength} characters together`);
  return truncate(combined, maxLength);
}

/**
 * A number from `min` to `max`; null if the cell is empty, or invalid, which gives a warning. A
 * comma is a decimal point, except in a comma-delimited file before exactly three last digits:
 * there it may separate thousands, and the number is invalid.
 */
export function readNumber(row: Row, column: string, min: number, max: number): number | null {
  // Some locales write U+2212 as the minus sign.
  const text = readText(row, column).replace(/^\u2212/, "-");
  if (text === "") return null;
  if (text.length > MAX_DIGITS) return warnCell(row, column, "number", "must be a number");
  const isThousands = row.header.delimiter === "," && /,\d{3}$/.test(text);
  const decimal = isThousands ? text : text.replace(",", ".");
  if (!/^[+-]?(?:\d+\.?\d*|\.\d+)$/.test(decimal))
    return warnCell(row, column, "number", "must be a number");
  const number = Number(decimal);
  if (number >= min && number <= max) return number;
  const range = max === Infinity ? "must not be negative" : `must be from ${min} to ${max}`;
  return warnCell(row, column, "range", range);
}

/**
 * An integer from 0 to `max`, also as `8.0`; null if the cell is empty, or invalid, which gives a
 * warning.
 */
export function readInteger(row: Row, column: string, max: number): number | null {
  const number = readNumber(row, column, 0, max);
  if (number === null || Number.isInteger(number)) return number;
  return warnCell(row, column, "number", "must be a whole number");
}

const isLonger = (text: string, maxLength: number): boolean => !hasAtMost(text, maxLength);

/** At most the first `maxLength` characters. */
export const truncate = (text: string, maxLength: number): string =>
  isLonger(text, maxLength)
    ? [...text.slice(0, 2 * maxLength)].slice(0, maxLength).join("").trimEnd()
    : text;
