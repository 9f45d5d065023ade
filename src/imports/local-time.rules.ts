/** A local date and time without a time zone. */
export type WallTime = Temporal.PlainDateTime;

/**
 * The instant of a local time in `timeZone` (an IANA name). A time in a gap, when clocks go
 * forward, is moved forward by the length of the gap; for a repeated time, `occurrence` selects
 * which.
 */
export const instantAt = (
  wall: WallTime,
  timeZone: string,
  occurrence: "first" | "second" = "first",
): Temporal.Instant =>
  wall
    .toZonedDateTime(timeZone, { disambiguation: occurrence === "first" ? "compatible" : "later" })
    .toInstant();
