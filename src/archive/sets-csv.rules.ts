import type { ArchiveLists } from "./archive.schemas.ts";

const COLUMNS = [
  "Day",
  "Started at (UTC)",
  "Workout",
  "Exercise",
  "Exercise number",
  "Set number",
  "Type",
  "Weight",
  "Weight unit",
  "Reps",
  "Time (s)",
  "Distance (m)",
  "RPE",
  "RIR",
  "Rest (s)",
  "Note",
];

/**
 * Every set as a line for a spreadsheet, workouts in the order given; days are where the workout
 * was. RFC 4180, UTF-8 with a mark, and no cell that a spreadsheet would take for a formula.
 */
export function setsCsv(workouts: ArchiveLists["workouts"]): string {
  const lines = [COLUMNS.map(cell).join(",")];
  for (const { name, startedAt, timeZone, deletedAt, exercises } of workouts) {
    if (deletedAt !== null) continue;
    const day = Temporal.Instant.from(startedAt)
      .toZonedDateTimeISO(timeZone)
      .toPlainDate()
      .toString();
    for (const [at, exercise] of exercises.entries()) {
      for (const [n, set] of exercise.sets.entries()) {
        const { type, weight, weightUnit, reps, timeS, distanceM, rpe, rir, restS, note } = set;
        const figures = [type, weight, weightUnit, reps, timeS, distanceM, rpe, rir, restS, note];
        lines.push(
          [day, startedAt, name, exercise.name, at + 1, n + 1, ...figures].map(cell).join(","),
        );
      }
    }
  }
  return `\uFEFF${lines.join("\r\n")}\r\n`;
}

/**
 * OWASP, CSV Injection: a cell that begins like a formula gets an apostrophe, which spreadsheets
 * show as text.
 */
const FORMULA = /^[=+\-@\t\r]/;

function cell(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
