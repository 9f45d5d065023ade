import { expect, test } from "bun:test";
import { readDates, readOrRefusal } from "#test/dates.ts";

test.each([
  [
    ["04/05/2024", "04/15/2024", "05/04/2024"],
    ["2024-04-05", "2024-04-15", "2024-05-04"],
  ],
  [
    ["04/05/2024", "15/04/2024", "05/04/2024"],
    ["2024-05-04", "2024-04-15", "2024-04-05"],
  ],
  [
    ["4.5.2024", "15.4.2024"],
    ["2024-05-04", "2024-04-15"],
  ],
  [
    ["4-5-2024", "4-15-2024"],
    ["2024-04-05", "2024-04-15"],
  ],
  [["05/05/2024"], ["2024-05-05"]],
  [
    ["2024/04/05", "2024-04-05"],
    ["2024-04-05", "2024-04-05"],
  ],
])("%j are %j: one date decides the order of all", async (texts, expected) => {
  expect(await readDates(texts)).toEqual(expected.map((day) => `${day}T12:00:00`));
  // The file takes precedence over the parameter.
  for (const dateOrder of ["dmy", "mdy"] as const) {
    expect(await readDates(texts, { dateOrder })).toEqual(expected.map((day) => `${day}T12:00:00`));
  }
});

test("a file whose date order is undecided or contradictory is refused", async () => {
  expect(await readOrRefusal(["01/02/2024", "04/05/2024"])).toEqual([
    "imports.date_order_required",
    "The date in row 2 may have the day or the month first: set dateOrder",
  ]);
  expect(await readDates(["04/05/2024"], { dateOrder: "dmy" })).toEqual(["2024-05-04T12:00:00"]);
  expect(await readDates(["04/05/2024"], { dateOrder: "mdy" })).toEqual(["2024-04-05T12:00:00"]);
  for (const options of [{}, { dateOrder: "dmy" }] as const) {
    expect(await readOrRefusal(["01/01/2024", "15/04/2024", "04/15/2024"], options)).toEqual([
      "imports.dates_contradict",
      "In row 3 the day comes before the month, in row 4 after it",
    ]);
  }
  // A date that is invalid in both orders does not decide.
  expect(await readDates(["15/04/2024", "31/04/2024", "13/13/2024", "04/05/2024"])).toEqual([
    "2024-04-15T12:00:00",
    null,
    null,
    "2024-05-04T12:00:00",
  ]);
});

test("a file whose month names are ambiguous between languages is refused", async () => {
  const texts = ["5 lis 2024, 17:29"];
  expect((await readOrRefusal(texts))[0]).toBe("imports.language_required");
  expect(await readDates(texts, { language: "hr" })).toEqual(["2024-10-05T17:29:00"]);
  expect(await readDates(texts, { language: "pl-PL" })).toEqual(["2024-11-05T17:29:00"]);
  expect(await readDates([...texts, "6 paź 2024, 17:29"])).toEqual([
    "2024-11-05T17:29:00",
    "2024-10-06T17:29:00",
  ]);
});

test("an unknown month name costs only its rows; a file of such names, or of several languages, is refused", async () => {
  expect(await readDates(["5 Mar 2024, 17:29", "6 Apr 2024, 17:29", "7 Xyz 2024, 17:29"])).toEqual([
    "2024-03-05T17:29:00",
    "2024-04-06T17:29:00",
    null,
  ]);
  const partlyUnknown = [
    "5 Mar 2024, 17:29",
    "6 Apr 2024, 17:29",
    "7 Sept 2024, 17:29",
    "8 Grishnak 2024, 17:29",
    "9 Uglur 2024, 17:29",
  ];
  expect((await readOrRefusal(partlyUnknown))[0]).toBe("imports.unknown_language");
  expect((await readOrRefusal(["5 Grishnak 2024, 17:29", "6 Uglur 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect(
    await readOrRefusal(["5 Mar 2024, 17:29", "6 May 2024, 17:29", "7 kesä 2024, 17:29"]),
  ).toEqual([
    "imports.dates_contradict",
    "The months in rows 2 and 4 have names of different languages",
  ]);
});

test("a file with an unknown month on two days, or with an unknown form of dates, is refused", async () => {
  const valid = [
    "1 Jan 2024, 10:00",
    "2 Feb 2024, 10:00",
    "3 Mar 2024, 10:00",
    "4 Apr 2024, 10:00",
    "5 May 2024, 10:00",
  ];
  expect(await readDates([...valid, "7 Xyz 2024, 17:29", "7 Xyz 2024, 18:29"])).toHaveLength(7);
  expect((await readOrRefusal([...valid, "7 Xyz 2024, 17:29", "8 Xyz 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect((await readOrRefusal([...valid, "7 Xyz 2024, 17:29", "8 Xyw 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect(
    await readDates(["1 Mar 2024, 10:00", "2 Mar 2024, 10:00", '3 M"ar 2024, 10:00']),
  ).toHaveLength(3);
  expect(await readDates([...valid, "28.3.24 17:29"])).toHaveLength(6);
  expect(await readOrRefusal([...valid, "28.3.24 17:29", "2024 M5 3 10:00"])).toEqual([
    "imports.unknown_dates",
    "The date in row 7, and 1 more, are in an unknown form",
  ]);
});

test.each([
  ["28 Mar 2024, 5:29 pm", "2024-03-28T17:29:00"],
  ["28 Mar 2024, 5:29 p.m.", "2024-03-28T17:29:00"],
  ["28 mar 2024, 5:29 p. m.", "2024-03-28T17:29:00"],
  ["March 28th, 2024 at 12:29 AM", "2024-03-28T00:29:00"],
  ["28 de março de 2024 às 17:29", "2024-03-28T17:29:00"],
  ["2024年3月28日 17:29", "2024-03-28T17:29:00"],
  ["2024年3月28日 下午5:29", "2024-03-28T17:29:00"],
  ["2024. 3. 28. 오후 5:29", "2024-03-28T17:29:00"],
  ["2024년 3월 28일 오후 5:29", "2024-03-28T17:29:00"],
  ["٢٨ مارس ٢٠٢٤ ١٧:٢٩", "2024-03-28T17:29:00"],
  ["2024年3月28日 午後0:29", "2024-03-28T12:29:00"],
  ["2024年3月28日 午前0:29", "2024-03-28T00:29:00"],
  ["2024-03-28 17 h 29", "2024-03-28T17:29:00"],
  ["28 Mawrth 2024 am 17:29", "2024-03-28T17:29:00"],
  ["28‏/03‏/2024، 5:29 م", "2024-03-28T17:29:00"],
  ["28. 3. 2024. u 17:29", "2024-03-28T17:29:00"],
  ["28 thg 3, 2024, 17:29", "2024-03-28T17:29:00"],
  ["28. mar. 2024 kl. 17.29", "2024-03-28T17:29:00"],
  ["4/28/2024 5:29:11 PM", "2024-04-28T17:29:11"],
  ["28.3.2024 17.29", "2024-03-28T17:29:00"],
  ["28 Mar 24, 17:29", null],
  ["28 Mar 2024, 25:29", null],
  ["28 Mar 2024, 17:60", null],
  ["30 Feb 2024, 17:29", null],
  ["28 Mar 2024 17:29 Apr", null],
])("%s is %s", async (text, expected) => {
  // Invalid dates come with valid ones, so that the file is not refused.
  expect(
    (
      await readDates(
        ["1 Jan 2024, 10:00", "2024-01-01 10:00", text].slice(expected === null ? 0 : 2),
      )
    ).at(-1),
  ).toBe(expected as never);
});
