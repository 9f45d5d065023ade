import { writeSync } from "node:fs";
import { format } from "node:util";

type Row = Record<string, unknown>;

/**
 * Prints rows as JSON, as CSV (RFC 4180), or as aligned columns; `empty` is printed if there are
 * none.
 */
export function printRows(
  rows: Row[],
  { json, csv, empty = "Nothing" }: { json?: boolean; csv?: boolean; empty?: string },
): void {
  if (json) {
    console.log(printableJson(JSON.stringify(rows, null, 2)));
    return;
  }
  if (csv) {
    const lines = [
      Object.keys(rows[0] ?? {}),
      ...rows.map((row) => Object.values(row).map((value) => value ?? "")),
    ];
    for (const line of lines) console.log(line.map(csvCell).join(","));
    return;
  }
  const [first] = rows;
  if (!first) {
    console.log(empty);
    return;
  }
  const columns = Object.keys(first);
  const cells = [
    columns.map(heading),
    ...rows.map((row) => columns.map((column) => cellText(row[column]))),
  ];
  const widths = columns.map((_, index) =>
    Math.max(...cells.map((row) => row[index]?.length ?? 0)),
  );
  for (const row of cells)
    console.log(
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

const heading = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function cellText(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return printable(String(value)).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Quotes a value if needed. An apostrophe keeps spreadsheets from reading it as a formula. */
function csvCell(value: unknown): string {
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Characters that could control a terminal or are invisible: control characters (except tab and
 * line feed) and format characters (except joiners and marks of scripts and emoji).
 */
const UNPRINTABLE =
  /(?!\p{M}|[\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** Escapes unprintable characters, because users choose names. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** Escapes the same characters in the syntax of JSON. */
const printableJson = (json: string): string =>
  json.replace(UNPRINTABLE, (character) =>
    [...Array(character.length).keys()]
      .map((index) => `\\u${character.charCodeAt(index).toString(16).padStart(4, "0")}`)
      .join(""),
  );

/**
 * Replaces the methods of `console` with ones that escape control characters and throw when stdout
 * cannot be written. Bun's console ignores a closed pipe and a full disk, and colours everything on
 * stderr red.
 */
export function replaceConsole(): void {
  const out = (...args: unknown[]) => writeAll(1, `${printable(format(...args))}\n`);
  const err = (...args: unknown[]) => {
    try {
      writeAll(2, `${printable(format(...args))}\n`);
    } catch {
      // The failure cannot be reported on any stream.
    }
  };
  Object.assign(console, { log: out, info: out, error: err, warn: err });
}

function writeAll(fd: number, text: string): void {
  const bytes = Buffer.from(text);
  for (let written = 0; written < bytes.length; ) {
    try {
      written += writeSync(fd, bytes, written);
    } catch (error) {
      // A non-blocking pipe is full.
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      Bun.sleepSync(5);
    }
  }
}
