import { expect, test } from "bun:test";
import fc from "fast-check";
import { detectDates } from "./dates.rules.ts";
import { instantAt } from "./local-time.rules.ts";

const dates = await detectDates(new Map(), {}, async () => {});

const wallTime = (text: string) => {
  const wall = dates.read(text);
  if (wall === null) throw new Error(`No time: ${text}`);
  return wall;
};
const utcOf = (text: string, timeZone: string, which?: "first" | "second") =>
  instantAt(wallTime(text), timeZone, which).toString();

test.each([
  ["2024-01-15 17:29:00", "Europe/Berlin", "2024-01-15T16:29:00Z"],
  ["2024-07-15 17:29:00", "Europe/Berlin", "2024-07-15T15:29:00Z"],
  ["2024-07-15 00:10", "Pacific/Kiritimati", "2024-07-14T10:10:00Z"],
  ["2024-07-15 23:59:59", "America/St_Johns", "2024-07-16T02:29:59Z"],
  ["2024-02-29 12:00", "UTC", "2024-02-29T12:00:00Z"],
])("%s in %s is %s", (text, timeZone, utc) => {
  expect(utcOf(text, timeZone)).toBe(utc);
});

test("a time that the clocks skip goes forward by as much as they do", () => {
  expect(utcOf("2024-03-31 02:30", "Europe/Berlin")).toBe("2024-03-31T01:30:00Z");
  expect(utcOf("2024-03-10 02:00", "America/New_York")).toBe("2024-03-10T07:00:00Z");
  // Lord Howe Island moves by half an hour; Samoa left out a whole day.
  expect(utcOf("2024-10-06 02:15", "Australia/Lord_Howe")).toBe("2024-10-05T15:45:00Z");
  expect(utcOf("2011-12-30 12:00", "Pacific/Apia")).toBe("2011-12-30T22:00:00Z");
});

test("a time that the clocks show twice is the first, or the second if asked for", () => {
  expect(utcOf("2024-10-27 02:30", "Europe/Berlin")).toBe("2024-10-27T00:30:00Z");
  expect(utcOf("2024-10-27 02:30", "Europe/Berlin", "second")).toBe("2024-10-27T01:30:00Z");
  expect(utcOf("2024-10-27 12:30", "Europe/Berlin", "second")).toBe("2024-10-27T11:30:00Z");
});

test.each([
  ["2023-05-14 17:32:11", "2023-05-14T17:32:11"],
  ["2023-05-14T17:32", "2023-05-14T17:32:00"],
  ["2023-5-4 7:02:11 PM", "2023-05-04T19:02:11"],
  ["2023-05-14 12:02:11\u202fAM", "2023-05-14T00:02:11"],
  ["2023-05-14 12:02 pm", "2023-05-14T12:02:00"],
])("%p is read as %s", (text, wall) => {
  expect(wallTime(text).toString()).toBe(wall);
});

test.each([
  "",
  "2023-02-29 12:00:00",
  "2023-13-01 12:00:00",
  "2023-00-10 12:00:00",
  "2023-05-14 24:00:00",
  "2023-05-14 12:60:00",
  "2023-05-14 12:00:60",
  "2023-05-14 13:00 PM",
  "1899-12-31 12:00:00",
  "2200-01-01 12:00:00",
  "2023-05-14 12:00:00Z",
  "2023-05-14",
])("%p is no time", (text) => {
  expect(dates.read(text)).toBeNull();
});

test("whatever the zone, the clocks there show the time that was read, or the clocks skipped it", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  const minute = fc.integer({
    min: Date.UTC(1970, 0, 2) / 60_000,
    max: Date.UTC(2037, 11, 30) / 60_000,
  });
  fc.assert(
    fc.property(fc.constantFrom(...zones), minute, (timeZone, at) => {
      const wall = new Date(at * 60_000).toISOString().slice(0, 16);
      const first = instantAt(wallTime(wall), timeZone).epochMilliseconds;
      const second = instantAt(wallTime(wall), timeZone, "second").epochMilliseconds;
      const shown = shownBy(timeZone, first);
      if (shown === wall) {
        // The first: no quarter of an hour in the day before shows the same.
        for (let back = 1; back <= 96; back++)
          expect(shownBy(timeZone, first - back * 900_000)).not.toBe(wall);
        expect(shownBy(timeZone, second)).toBe(wall);
      } else {
        expect(shown > wall).toBe(true);
        expect(second).toBe(first);
      }
    }),
    { numRuns: 300 },
  );
});

test("at the turns of the clocks of a year, minutes that exist come back as they were", () => {
  fc.assert(
    fc.property(
      fc.constantFrom(
        "Europe/Berlin",
        "America/New_York",
        "Australia/Lord_Howe",
        "Africa/Casablanca",
        "Asia/Gaza",
      ),
      fc.integer({ min: 2000, max: 2030 }),
      fc.integer({ min: 0, max: 365 * 24 * 4 }),
      (timeZone, year, quarter) => {
        const instant = Date.UTC(year, 0, 1) + quarter * 900_000;
        const wall = shownBy(timeZone, instant);
        const found = ["first", "second"].map(
          (which) =>
            instantAt(wallTime(wall), timeZone, which as "first" | "second").epochMilliseconds,
        );
        expect(found).toContain(instant);
      },
    ),
    { numRuns: 1000 },
  );
});

const clocks = new Map<string, Intl.DateTimeFormat>();

/** `2024-03-28T17:29`, by Intl. */
function shownBy(timeZone: string, instant: number): string {
  const clock =
    clocks.get(timeZone) ??
    new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  clocks.set(timeZone, clock);
  return clock.format(instant).replace(" ", "T");
}
