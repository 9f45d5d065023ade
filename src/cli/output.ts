import { writeSync } from "node:fs";
import { format } from "node:util";

type Row = Record<string, unknown>;

/** Prints rows as JSON, as CSV (RFC 4180), or as columns for people; `empty` is said when there are none. */
export function printRows(
  rows: Row[],
  { json, csv, empty = "Nothing" }: { json?: boolean; csv?: boolean; empty?: string },
): void {
  if (json) {
    console.log(printableJson(JSON.stringify(rows, null, 2)));
    return;
  }
  if (csv) {
    const lines = [Object.keys(rows[0] ?? {}), ...rows.map((row) => Object.values(row).map((value) => value ?? ""))];
    for (const line of lines) console.log(line.map(csvCell).join(","));
    return;
  }
  const [first] = rows;
  if (!first) {
    console.log(empty);
    return;
  }
  const columns = Object.keys(first);
  const cells = [columns.map(heading), ...rows.map((row) => columns.map((column) => shown(row[column])))];
  const widths = columns.map((_, index) => Math.max(...cells.map((row) => row[index]?.length ?? 0)));
  for (const row of cells)
    console.log(
      row
        .map((cell, index) => cell.padEnd(widths[index] ?? 0))
        .join("  ")
        .trimEnd(),
    );
}

const heading = (name: string) => name.replace(/[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`);

function shown(value: unknown): string {
  if (value === null || value === undefined) return "-";
  if (typeof value === "boolean") return value ? "yes" : "no";
  return printable(String(value)).replaceAll("\n", "\\n").replaceAll("\t", "\\t");
}

/** Quoted where needed; a leading =, +, -, @ would be a formula in a spreadsheet, so it gets an apostrophe. */
function csvCell(value: unknown): string {
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/**
 * Controls (but tab and line feed), format and invisible characters (but the joiners and marks of scripts and emoji): what a
 * terminal obeys, or shows as something else.
 */
const UNPRINTABLE =
  /(?!\p{M}|[\t\n\u200c\u200d])[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Cs}\p{Default_Ignorable_Code_Point}\u2800]/gu;

/** `text` with what would act on a terminal escaped: people choose their names. */
export const printable = (text: string): string =>
  text.replace(UNPRINTABLE, (character) => `\\u{${character.codePointAt(0)?.toString(16)}}`);

/** JSON with the same characters as escapes of JSON. */
const printableJson = (json: string): string =>
  json.replace(UNPRINTABLE, (character) =>
    [...Array(character.length).keys()]
      .map((at) => `\\u${character.charCodeAt(at).toString(16).padStart(4, "0")}`)
      .join(""),
  );

/**
 * Has the console of this process written by us, escaped. Bun's own ignores a closed pipe and a full disk, paints all that
 * goes to stderr red, and passes on control characters. What cannot be written to stdout is thrown.
 */
export function writeOutputByHand(): void {
  const out = (...given: unknown[]) => writeAll(1, `${printable(format(...given))}\n`);
  const err = (...given: unknown[]) => {
    try {
      writeAll(2, `${printable(format(...given))}\n`);
    } catch {
      // There is nowhere left to say it.
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
      // A pipe that does not block and is full.
      if ((error as { code?: string }).code !== "EAGAIN") throw error;
      Bun.sleepSync(5);
    }
  }
}
