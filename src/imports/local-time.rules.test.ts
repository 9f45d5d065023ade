import { expect, test } from "bun:test";
import fc from "fast-check";
import { detectDates } from "./dates.rules.ts";
import { instantAt } from "./local-time.rules.ts";

const dates = await detectDates(new Map(), {}, async () => {});

const wallTime = (text: string) => {
  const wall = dates.read(text);
  if (wall === null) throw new Error(`Not a time: ${text}`);
  return wall;
};
const utcOf = (text: string, timeZone: string, occurrence?: "first" | "second") =>
  instantAt(wallTime(text), timeZone, occurrence).toString();

test.each([
  ["2024-01-15 17:29:00", "Europe/Berlin", "2024-01-15T16:29:00Z"],
  ["2024-07-15 17:29:00", "Europe/Berlin", "2024-07-15T15:29:00Z"],
  ["2024-07-15 00:10", "Pacific/Kiritimati", "2024-07-14T10:10:00Z"],
  ["2024-07-15 23:59:59", "America/St_Johns", "2024-07-16T02:29:59Z"],
  ["2024-02-29 12:00", "UTC", "2024-02-29T12:00:00Z"],
])("%s in %s is %s", (text, timeZone, utc) => {
  expect(utcOf(text, timeZone)).toBe(utc);
});

test("a time in a gap is moved forward by the length of the gap", () => {
  expect(utcOf("2024-03-31 02:30", "Europe/Berlin")).toBe("2024-03-31T01:30:00Z");
  expect(utcOf("2024-03-10 02:00", "America/New_York")).toBe("2024-03-10T07:00:00Z");
  // Lord Howe Island changes by half an hour; Samoa skipped a whole day.
  expect(utcOf("2024-10-06 02:15", "Australia/Lord_Howe")).toBe("2024-10-05T15:45:00Z");
  expect(utcOf("2011-12-30 12:00", "Pacific/Apia")).toBe("2011-12-30T22:00:00Z");
});

test("a repeated time is the first occurrence, or the second on request", () => {
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
])("%p is not a valid time", (text) => {
  expect(dates.read(text)).toBeNull();
});

test("in any time zone, an instant has the local time that was read, unless that is in a gap", () => {
  const zones = Intl.supportedValuesOf("timeZone");
  const minute = fc.integer({
    min: Date.UTC(1970, 0, 2) / 60_000,
    max: Date.UTC(2037, 11, 30) / 60_000,
  });
  fc.assert(
    fc.property(fc.constantFrom(...zones), minute, (timeZone, minutes) => {
      const wall = new Date(minutes * 60_000).toISOString().slice(0, 16);
      const first = instantAt(wallTime(wall), timeZone).epochMilliseconds;
      const second = instantAt(wallTime(wall), timeZone, "second").epochMilliseconds;
      const local = localTime(timeZone, first);
      if (local === wall) {
        // It is the first occurrence: no quarter of an hour in the day before has this local time.
        for (let back = 1; back <= 96; back++)
          expect(localTime(timeZone, first - back * 900_000)).not.toBe(wall);
        expect(localTime(timeZone, second)).toBe(wall);
      } else {
        expect(local > wall).toBe(true);
        expect(second).toBe(first);
      }
    }),
    { numRuns: 300 },
  );
});

test("around clock changes, a local time converts back to the instant", () => {
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
        const wall = localTime(timeZone, instant);
        const candidates = ["first", "second"].map(
          (occurrence) =>
            instantAt(wallTime(wall), timeZone, occurrence as "first" | "second").epochMilliseconds,
        );
        expect(candidates).toContain(instant);
      },
    ),
    { numRuns: 1000 },
  );
});

const formats = new Map<string, Intl.DateTimeFormat>();

/** The local time of an instant, like `2024-03-28T17:29`, by `Intl`. */
function localTime(timeZone: string, instant: number): string {
  const format =
    formats.get(timeZone) ??
    new Intl.DateTimeFormat("sv-SE", {
      timeZone,
      hourCycle: "h23",
      year: "numeric",
      month: "2-digit",
      day: "2-digit",
      hour: "2-digit",
      minute: "2-digit",
    });
  formats.set(timeZone, format);
  return format.format(instant).replace(" ", "T");
}
