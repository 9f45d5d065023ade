/** A date and time as a clock on the wall shows it, in no zone yet. */
export type WallTime = Temporal.PlainDateTime;

/** `2024-03-28 17:29:00`; seconds may be missing, AM or PM may follow. */
export const ISO_TIME =
  /^(?<year>\d{4})-(?<month>\d{1,2})-(?<day>\d{1,2})[ T](?<hour>\d{1,2}):(?<minute>\d{2})(?::(?<second>\d{2}))?(?:\s?(?<half>[AP]M))?$/i;

const MONTHS = ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"];
const [FIRST_YEAR, LAST_YEAR] = [1900, 2199];

/**
 * What `text` says by the first of `patterns` that it fits; their groups are `year`, `month` (a number or an English
 * name), `day`, and `hour` (noon without), `minute`, `second`, `half`. Null when it fits none, or there is no such day
 * or time from 1900 to 2199.
 */
export function wallTimeOf(text: string, patterns: RegExp[]): WallTime | null {
  for (const pattern of patterns) {
    const groups = pattern.exec(text)?.groups;
    if (groups) return wallTimeFrom(groups);
  }
  return null;
}

/**
 * When the clocks of `timeZone` (an IANA name) show `wall`. A time that they skip is as much later as they skip; of a
 * time that they show twice it is the `first` or the `second`.
 */
export const instantAt = (wall: WallTime, timeZone: string, which: "first" | "second" = "first"): Temporal.Instant =>
  wall.toZonedDateTime(timeZone, { disambiguation: which === "first" ? "compatible" : "later" }).toInstant();

function wallTimeFrom(groups: Record<string, string | undefined>): WallTime | null {
  const [year, day, minute, second] = [groups.year, groups.day, groups.minute, groups.second].map((part) =>
    Number(part ?? 0),
  ) as [number, number, number, number];
  const month = monthOf(groups.month ?? "");
  const hour = hourOf(Number(groups.hour ?? 12), groups.half?.toUpperCase());
  if (year < FIRST_YEAR || year > LAST_YEAR || hour === null || second > 59) return null;
  try {
    return Temporal.PlainDateTime.from({ year, month, day, hour, minute, second }, { overflow: "reject" });
  } catch (error) {
    if (error instanceof RangeError) return null;
    throw error;
  }
}

function monthOf(text: string): number {
  return /^\d+$/.test(text) ? Number(text) : MONTHS.indexOf(text.slice(0, 3).toLowerCase()) + 1;
}

function hourOf(hour: number, half: string | undefined): number | null {
  if (half === undefined) return hour;
  if (hour < 1 || hour > 12) return null;
  return (hour % 12) + (half === "PM" ? 12 : 0);
}
