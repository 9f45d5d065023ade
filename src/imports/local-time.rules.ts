/** A date and time as a clock on the wall shows it, in no zone yet. */
export type WallTime = Temporal.PlainDateTime;

/**
 * When the clocks of `timeZone` (an IANA name) show `wall`. A time that they skip is as much later
 * as they skip; of a time that they show twice it is the `first` or the `second`.
 */
export const instantAt = (
  wall: WallTime,
  timeZone: string,
  which: "first" | "second" = "first",
): Temporal.Instant =>
  wall
    .toZonedDateTime(timeZone, { disambiguation: which === "first" ? "compatible" : "later" })
    .toInstant();
