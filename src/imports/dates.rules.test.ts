import { expect, test } from "bun:test";
import { AppError } from "#lib/errors.ts";
import { type DateOptions, detectDates } from "./dates.rules.ts";

const pause = async () => {};
const decide = (texts: string[], options: DateOptions = {}) =>
  detectDates(new Map(texts.map((text, at) => [text, at + 2])), options, pause);
const read = async (texts: string[], options: DateOptions = {}) => {
  const dates = await decide(texts, options);
  return texts.map((text) => (dates.read(text) ?? dates.read(text, true))?.toString() ?? null);
};
const refusal = async (texts: string[], options: DateOptions = {}) => {
  try {
    return await read(texts, options);
  } catch (error) {
    if (!(error instanceof AppError)) throw error;
    return [error.reason, error.message];
  }
};
/** Twelve days, one in each month, from the 5th of January to the 16th of December. */
const days = Array.from(
  { length: 12 },
  (_, at) => [at + 1, at + 5] as [month: number, day: number],
);
const year2024 = days.map(([month, day]) =>
  new Date(Date.UTC(2024, month - 1, day, 17, 29)).toISOString().slice(0, 19),
);

const MONTHS: Record<string, string> = {
  German: "Jan. Feb. März Apr. Mai Juni Juli Aug. Sept. Okt. Nov. Dez.",
  "German, Austria": "Jän. Feb. März Apr. Mai Juni Juli Aug. Sep. Okt. Nov. Dez.",
  Spanish: "ene feb mar abr may jun jul ago sept oct nov dic",
  Finnish: "tammi helmi maalis huhti touko kesä heinä elo syys loka marras joulu",
  French: "janv. févr. mars avr. mai juin juil. août sept. oct. nov. déc.",
  Italian: "gen feb mar apr mag giu lug ago set ott nov dic",
  Portuguese: "jan. fev. mar. abr. mai. jun. jul. ago. set. out. nov. dez.",
  Swedish: "jan. feb. mars apr. maj juni juli aug. sep. okt. nov. dec.",
  Turkish: "Oca Şub Mar Nis May Haz Tem Ağu Eyl Eki Kas Ara",
  Dutch: "jan. feb. mrt. apr. mei jun. jul. aug. sep. okt. nov. dec.",
  Polish: "sty lut mar kwi maj cze lip sie wrz paź lis gru",
  "Polish, long":
    "stycznia lutego marca kwietnia maja czerwca lipca sierpnia września października listopada grudnia",
  Czech: "led úno bře dub kvě čvn čvc srp zář říj lis pro",
  Russian: "янв. февр. мар. апр. мая июн. июл. авг. сент. окт. нояб. дек.",
  Ukrainian: "січ. лют. бер. квіт. трав. черв. лип. серп. вер. жовт. лист. груд.",
  Greek: "Ιαν Φεβ Μαρ Απρ Μαΐ Ιουν Ιουλ Αυγ Σεπ Οκτ Νοε Δεκ",
  Hungarian: "jan. febr. márc. ápr. máj. jún. júl. aug. szept. okt. nov. dec.",
  Croatian: "sij velj ožu tra svi lip srp kol ruj lis stu pro",
  Hindi: "जन॰ फ़र॰ मार्च अप्रैल मई जून जुल॰ अग॰ सित॰ अक्टू॰ नव॰ दिस॰",
  Arabic: "يناير فبراير مارس أبريل مايو يونيو يوليو أغسطس سبتمبر أكتوبر نوفمبر ديسمبر",
  Thai: "ม.ค. ก.พ. มี.ค. เม.ย. พ.ค. มิ.ย. ก.ค. ส.ค. ก.ย. ต.ค. พ.ย. ธ.ค.",
  Japanese: "1月 2月 3月 4月 5月 6月 7月 8月 9月 10月 11月 12月",
  Korean: "1월 2월 3월 4월 5월 6월 7월 8월 9월 10월 11월 12월",
  Chinese: "一月 二月 三月 四月 五月 六月 七月 八月 九月 十月 十一月 十二月",
  Catalan: "gen. febr. març abr. maig juny jul. ag. set. oct. nov. des.",
  English: "January February March April May June July August September October November December",
};

test.each(Object.entries(MONTHS))(
  "all twelve months of %s are read, with and without dots, in any case",
  async (_name, names) => {
    const months = names.split(" ");
    const write = (form: (name: string) => string) =>
      days.map(([month, day]) => `${day} ${form(months[month - 1] as string)} 2024, 17:29`);
    expect(await read(write((name) => name))).toEqual(year2024);
    expect(await read(write((name) => name.replace(/\.$/, "")))).toEqual(year2024);
    expect(await read(write((name) => name.toUpperCase()))).toEqual(year2024);
    const monthFirst = days.map(([month, day]) => `${months[month - 1]} ${day}, 2024, 5:29 PM`);
    expect(await read(monthFirst)).toEqual(year2024);
  },
);

test("dates that the runtime formats in a common language are read as that day", async () => {
  const tags =
    "en en-GB de fr es it pt nl sv da nb fi pl cs sk hu ro hr sl bg ru uk el tr he ja ko zh zh-Hant vi id ms th ca et lt lv";
  for (const tag of tags.split(" ")) {
    for (const style of ["medium", "long"] as const) {
      const options = {
        dateStyle: style,
        timeStyle: "short",
        calendar: "gregory",
        timeZone: "UTC",
      } as const;
      const format = new Intl.DateTimeFormat(tag, options);
      const texts = days.map(([month, day]) =>
        format.format(Date.UTC(2024, month - 1, day, 17, 29)),
      );
      expect([tag, style, texts, await refusal(texts, { dateOrder: "dmy" })]).toEqual([
        tag,
        style,
        texts,
        year2024,
      ]);
    }
  }
});

test("dates that the runtime formats in any language are all read as that day, or the file is refused", async () => {
  const letters = [..."abcdefghijklmnopqrstuvwxyz"];
  const pairs = letters.flatMap((first) => letters.map((second) => first + second));
  const tags = [...pairs, ...pairs.flatMap((pair) => letters.map((third) => pair + third))];
  const styles: Intl.DateTimeFormatOptions[] = [
    { dateStyle: "medium", timeStyle: "short" },
    { dateStyle: "short", timeStyle: "short" },
    { day: "numeric", month: "long", year: "numeric", hour: "numeric", minute: "2-digit" },
  ];
  const answers = { whole: 0, refused: 0, part: [] as unknown[] };
  for (const tag of [
    ...Intl.DateTimeFormat.supportedLocalesOf(tags),
    "fr-CA",
    "ar-EG",
    "en-AU",
    "es-MX",
    "sr-Latn",
  ]) {
    for (const style of styles) {
      const format = new Intl.DateTimeFormat(tag, {
        ...style,
        calendar: "gregory",
        timeZone: "UTC",
      });
      const texts = days.map(([month, day]) =>
        format.format(Date.UTC(2024, month - 1, day, 17, 29)),
      );
      const answer = await refusal(texts, { dateOrder: "dmy" });
      if (String(answer) === String(year2024)) answers.whole++;
      else if (String(answer[0]).startsWith("imports.")) answers.refused++;
      else answers.part.push([tag, style, texts, answer]);
    }
  }
  expect(answers.part).toEqual([]);
  expect(answers.whole).toBeGreaterThan(answers.refused * 3);
});

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
])("%j are %j: one date proves the order of all", async (texts, expected) => {
  expect(await read(texts)).toEqual(expected.map((day) => `${day}T12:00:00`));
  // The file takes precedence over the parameter.
  for (const dateOrder of ["dmy", "mdy"] as const) {
    expect(await read(texts, { dateOrder })).toEqual(expected.map((day) => `${day}T12:00:00`));
  }
});

test("a file whose date order is unproven or contradictory is refused", async () => {
  expect(await refusal(["01/02/2024", "04/05/2024"])).toEqual([
    "imports.date_order_required",
    "The date in row 2 may have the day or the month first: set dateOrder",
  ]);
  expect(await read(["04/05/2024"], { dateOrder: "dmy" })).toEqual(["2024-05-04T12:00:00"]);
  expect(await read(["04/05/2024"], { dateOrder: "mdy" })).toEqual(["2024-04-05T12:00:00"]);
  for (const options of [{}, { dateOrder: "dmy" }] as const) {
    expect(await refusal(["01/01/2024", "15/04/2024", "04/15/2024"], options)).toEqual([
      "imports.dates_contradict",
      "In row 3 the day comes before the month, in row 4 after it",
    ]);
  }
  // A date that is invalid in both orders proves nothing.
  expect(await read(["15/04/2024", "31/04/2024", "13/13/2024", "04/05/2024"])).toEqual([
    "2024-04-15T12:00:00",
    null,
    null,
    "2024-05-04T12:00:00",
  ]);
});

test("a file whose month names are ambiguous between languages is refused", async () => {
  const texts = ["5 lis 2024, 17:29"];
  expect((await refusal(texts))[0]).toBe("imports.language_required");
  expect(await read(texts, { language: "hr" })).toEqual(["2024-10-05T17:29:00"]);
  expect(await read(texts, { language: "pl-PL" })).toEqual(["2024-11-05T17:29:00"]);
  expect(await read([...texts, "6 paź 2024, 17:29"])).toEqual([
    "2024-11-05T17:29:00",
    "2024-10-06T17:29:00",
  ]);
});

test("an unknown month name costs only its rows; a file of such names, or of several languages, is refused", async () => {
  expect(await read(["5 Mar 2024, 17:29", "6 Apr 2024, 17:29", "7 Xyz 2024, 17:29"])).toEqual([
    "2024-03-05T17:29:00",
    "2024-04-06T17:29:00",
    null,
  ]);
  const half = [
    "5 Mar 2024, 17:29",
    "6 Apr 2024, 17:29",
    "7 Sept 2024, 17:29",
    "8 Grishnak 2024, 17:29",
    "9 Uglur 2024, 17:29",
  ];
  expect((await refusal(half))[0]).toBe("imports.unknown_language");
  expect((await refusal(["5 Grishnak 2024, 17:29", "6 Uglur 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect(await refusal(["5 Mar 2024, 17:29", "6 May 2024, 17:29", "7 kesä 2024, 17:29"])).toEqual([
    "imports.dates_contradict",
    "The months in rows 2 and 4 have names of different languages",
  ]);
});

test("a file with an unknown month on two days, or with an unknown form of dates, is refused", async () => {
  const good = [
    "1 Jan 2024, 10:00",
    "2 Feb 2024, 10:00",
    "3 Mar 2024, 10:00",
    "4 Apr 2024, 10:00",
    "5 May 2024, 10:00",
  ];
  expect(await read([...good, "7 Xyz 2024, 17:29", "7 Xyz 2024, 18:29"])).toHaveLength(7);
  expect((await refusal([...good, "7 Xyz 2024, 17:29", "8 Xyz 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect((await refusal([...good, "7 Xyz 2024, 17:29", "8 Xyw 2024, 17:29"]))[0]).toBe(
    "imports.unknown_language",
  );
  expect(await read(["1 Mar 2024, 10:00", "2 Mar 2024, 10:00", '3 M"ar 2024, 10:00'])).toHaveLength(
    3,
  );
  expect(await read([...good, "28.3.24 17:29"])).toHaveLength(6);
  expect(await refusal([...good, "28.3.24 17:29", "2024 M5 3 10:00"])).toEqual([
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
  // Beside a good one, so that the file is not refused for it.
  expect(
    (
      await read(["1 Jan 2024, 10:00", "2024-01-01 10:00", text].slice(expected === null ? 0 : 2))
    ).at(-1),
  ).toBe(expected as never);
});
