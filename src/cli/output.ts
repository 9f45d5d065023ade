type Row = Record<string, unknown>;

/** Prints rows as JSON, as CSV (RFC 4180), or as columns for people; `empty` is said when there are none. */
export function printRows(
  rows: Row[],
  { json, csv, empty = "Nothing" }: { json?: boolean; csv?: boolean; empty?: string },
): void {
  if (json) {
    console.log(JSON.stringify(rows, null, 2));
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
  return String(value);
}

/** Quoted where needed; a leading =, +, -, @ would be a formula in a spreadsheet, so it gets an apostrophe. */
function csvCell(value: unknown): string {
  const text = String(value).replace(/^[=+\-@\t\r]/, "'$&");
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
