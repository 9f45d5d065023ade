/**
 * What dates are written with in one language: its month names, and the words around them (`de`,
 * `kl`, `г`).
 */
export type Language = {
  /** BCP 47 tag. */
  tag: string;
  /** The month, from 1, of each name, long or short, in the form of `foldDate`. */
  months: Map<string, number>;
  fillers: Set<string>;
  /** Words that stand beside the names of some months only: `d'abril`, `de març`. */
  links: Set<string>;
  halves: Map<string, "am" | "pm">;
};

/**
 * Languages that the apps are used in, and regions with other month names than the plain language.
 */
const COMMON = `fr de es it pt tr sv fi nl pl cs sk sl hr sr sr-Latn bs bg mk ru uk be ro hu el da nb nn no is et lv lt ca gl eu
  he ar ar-MA ar-SY ar-DZ fa ur hi bn ta te ml kn mr gu pa th id ms fil vi ka hy az kk uz ky mn sq ga cy af sw
  en-AU en-CA en-GB en-IN es-AR es-CL es-CO es-MX es-PE es-US es-VE fr-CA fr-CH de-AT de-CH it-CH nl-BE pt-PT`;
const STYLES: Intl.DateTimeFormatOptions[] = [
  { dateStyle: "medium" },
  { dateStyle: "long" },
  { day: "numeric", month: "short", year: "numeric" },
  { day: "numeric", month: "long" },
  { month: "short" },
  { month: "long" },
];
const MONTHS = Array.from({ length: 12 }, (_, at) => at + 1);
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const HALVES: [string, "am" | "pm"][] = [
  ["am", "am"],
  ["pm", "pm"],
];

type Which = "english" | "common" | "other";
const learned = new Map<Which, Language[]>();

/**
 * Languages that the ICU of this runtime has (CLDR, by `Intl.DateTimeFormat`), learned from dates
 * that it writes: English, the other `common` ones, or all of them. Takes some tenths of a second
 * once; `pause` is called in between.
 */
export async function loadLanguages(which: Which, pause: () => Promise<void>): Promise<Language[]> {
  const tags = { english: [["en"]], common: [COMMON.split(/\s+/)], other: otherTags() };
  const languages = learned.get(which) ?? (await learnAll(tags[which], pause));
  learned.set(which, languages);
  return languages;
}

async function learnAll(tags: Iterable<string[]>, pause: () => Promise<void>): Promise<Language[]> {
  const languages: Language[] = [];
  for (const some of tags) {
    for (const tag of Intl.DateTimeFormat.supportedLocalesOf(some)) {
      const language = learn(tag);
      if (new Set(language.months.values()).size === 12) languages.push(language);
      await pause();
    }
    await pause();
  }
  return languages;
}

/**
 * All tags of two and three letters, by their first letter: nothing lists the languages that there
 * are.
 */
function* otherTags(): Generator<string[]> {
  for (const first of LETTERS) {
    const pairs = LETTERS.map((second) => first + second);
    yield pairs.flatMap((pair) => [pair, ...LETTERS.map((third) => pair + third)]);
  }
}

function learn(tag: string): Language {
  const written = (style: Intl.DateTimeFormatOptions) => {
    const options = {
      calendar: "gregory",
      numberingSystem: "latn",
      timeZone: "UTC",
      ...style,
    } as const;
    const format = new Intl.DateTimeFormat(tag, options);
    // A name that ends in a number is none.
    return (month: number, hour: number) =>
      wordsIn(
        foldDate(format.format(Date.UTC(2024, month - 1, 28, hour, 9))).replaceAll(
          /\p{L}+\d+/gu,
          " ",
        ),
      );
  };
  const months = new Map<string, number>();
  const [wordsAround, wordsOfSome] = [new Set<string>(), new Map<string, Set<number>>()];
  const clashing = new Set<string>();
  const addName = (name: string, month: number) => {
    if ((months.get(name) ?? month) !== month) clashing.add(name);
    months.set(name, month);
  };
  for (const style of STYLES) {
    const wordsOf = written(style);
    const dates = MONTHS.map((month) => wordsOf(month, 0));
    const isAround = (word: string) => dates.every((words) => words.includes(word));
    dates.forEach((words, at) => {
      const name = words.filter((word) => !isAround(word));
      for (const word of words.filter(isAround)) wordsAround.add(word);
      for (const word of name)
        wordsOfSome.set(word, (wordsOfSome.get(word) ?? new Set()).add(at + 1));
      if (name.length > 0) addName(name.join(" "), at + 1);
    });
  }
  for (const [word, [month, another]] of wordsOfSome)
    if (another === undefined) addName(word, month as number);
  for (const name of clashing) months.delete(name);

  const timesOf = written({ dateStyle: "long", timeStyle: "short", hour12: true });
  const [morning, evening] = [timesOf(3, 10), timesOf(3, 22)];
  const isNoMonth = (word: string) => !wordsOfSome.has(word);
  const halves = new Map(HALVES.filter(([word]) => isNoMonth(word)));
  for (const word of morning.filter(isNoMonth)) if (!evening.includes(word)) halves.set(word, "am");
  for (const word of evening.filter(isNoMonth)) if (!morning.includes(word)) halves.set(word, "pm");
  // In Welsh `am` is at.
  for (const word of morning) if (evening.includes(word)) halves.delete(word);
  const fillers = [...wordsAround, ...morning, ...evening].filter(
    (word) => isNoMonth(word) && !halves.has(word),
  );
  const links = [...wordsOfSome]
    .filter(([word, { size }]) => size > 1 && !months.has(word))
    .map(([word]) => word);
  return { tag, months, fillers: new Set(fillers), links: new Set(links), halves };
}

/**
 * A date as it is compared: compatibility forms, digits and spaces of other scripts as in ASCII,
 * lower case, no accents on Latin, Greek and Cyrillic letters, single letters with dots as one word
 * (`p. m.` is `pm`), and years, months and days that East Asian signs mark, or numbers that
 * Vietnamese has for months, as `2024-3-28`.
 */
export function foldDate(text: string): string {
  return text
    .normalize("NFKC")
    .replaceAll(/\p{Cf}/gu, "")
    .toLowerCase()
    .normalize("NFD")
    .replaceAll(/[\u0300-\u036f]/g, "")
    .normalize("NFC")
    .replaceAll("ı", "i")
    .replaceAll("،", ",")
    .replaceAll(/[^\P{Nd}0-9]/gu, asciiDigit)
    .replaceAll(
      /(?<![\p{L}\p{M}])(\p{L}\p{M}*)\.\s?(\p{L}\p{M}*)(?:\.|(?![\p{L}\p{M}]))/gu,
      "$1$2 ",
    )
    .replace(/(\d{4})\s*[年년]\s*(\d{1,2})\s*[月월]\s*(\d{1,2})\s*[日일]/u, "$1-$2-$3 ")
    .replace(/(\d{1,2}),?\s+(\d{1,2})(?:\s*[月월]|-р сар\p{L}*),?\s+(\d{4})/u, "$3-$2-$1 ")
    .replace(/(\d{1,2})\s*[月월]\s*(\d{1,2})[日일]?,?\s+(\d{4})/u, "$3-$1-$2 ")
    .replace(/(\d{1,2})\s+(?:thg|thang)\s*(\d{1,2}),?\s+(?:nam\s+)?(\d{4})/u, "$3-$2-$1 ")
    .replaceAll(/(\d)(?:st|nd|rd|th|er)(?!\p{L})/gu, "$1")
    .replaceAll(/\s+/gu, " ")
    .trim();
}

/** The words of a folded date, in order. */
export const wordsIn = (folded: string): string[] => folded.match(/\p{L}[\p{L}\p{M}]*/gu) ?? [];

/**
 * The digits of a script stand in a row of ten, which begins at a multiple of 16 or 6 behind one.
 */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) as number;
  const start = code - (code % 16);
  return String(code - (/\p{Nd}/u.test(String.fromCodePoint(start)) ? start : start + 6));
}
