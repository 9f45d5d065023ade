import { expect, test } from "bun:test";
import { readDates, readOrRefusal } from "#test/dates.ts";

/** Twelve days, one in each month, from the 5th of January to the 16th of December. */
const days = Array.from(
  { length: 12 },
  (_, index) => [index + 1, index + 5] as [month: number, day: number],
);
const expectedTimes = days.map(([month, day]) =>
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
    expect(await readDates(write((name) => name))).toEqual(expectedTimes);
    expect(await readDates(write((name) => name.replace(/\.$/, "")))).toEqual(expectedTimes);
    expect(await readDates(write((name) => name.toUpperCase()))).toEqual(expectedTimes);
    const monthFirst = days.map(([month, day]) => `${months[month - 1]} ${day}, 2024, 5:29 PM`);
    expect(await readDates(monthFirst)).toEqual(expectedTimes);
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
      expect([tag, style, texts, await readOrRefusal(texts, { dateOrder: "dmy" })]).toEqual([
        tag,
        style,
        texts,
        expectedTimes,
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
  const outcomes = { complete: 0, refused: 0, partial: [] as unknown[] };
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
      const result = await readOrRefusal(texts, { dateOrder: "dmy" });
      if (String(result) === String(expectedTimes)) outcomes.complete++;
      else if (String(result[0]).startsWith("imports.")) outcomes.refused++;
      else outcomes.partial.push([tag, style, texts, result]);
    }
  }
  expect(outcomes.partial).toEqual([]);
  expect(outcomes.complete).toBeGreaterThan(outcomes.refused * 3);
});
