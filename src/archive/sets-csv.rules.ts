import type { ArchiveLists } from "./archive.schemas.ts";

const HEADER = [
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
 * All sets as CSV (RFC 4180, UTF-8 with a byte order mark) for spreadsheets, one record per set, in
 * the order of `workouts`, without those in the trash. Days are in the time zone of the workout. No
 * field can be taken for a formula.
 */
export function setsCsv(workouts: ArchiveLists["workouts"]): string {
  const records: (string | number | null | undefined)[][] = [HEADER];
  for (const { name, startedAt, timeZone, deletedAt, exercises } of workouts) {
    if (deletedAt !== null) continue;
    const localStart = Temporal.Instant.from(startedAt).toZonedDateTimeISO(timeZone);
    const day = localStart.toPlainDate().toString();
    for (const [index, exercise] of exercises.entries()) {
      for (const [setIndex, set] of exercise.sets.entries()) {
        const { type, weight, weightUnit, reps, timeS, distanceM, rpe, rir, restS, note } = set;
        const values = [type, weight, weightUnit, reps, timeS, distanceM, rpe, rir, restS, note];
        records.push([day, startedAt, name, exercise.name, index + 1, setIndex + 1, ...values]);
      }
    }
  }
  const lines = records.map((record) => record.map(formatField).join(","));
  return `\uFEFF${lines.join("\r\n")}\r\n`;
}

/**
 * The start of a formula. Such a field gets an apostrophe in front, so that spreadsheets show it as
 * text (OWASP, CSV Injection).
 */
const FORMULA = /^[=+\-@\t\r]/;

function formatField(value: string | number | null | undefined): string {
  if (value === null || value === undefined) return "";
  if (typeof value === "number") return String(value);
  const text = FORMULA.test(value) ? `'${value}` : value;
  return /[",\r\n]/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}
