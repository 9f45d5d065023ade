/** The words in dates of one language: its month names, and those around them (`de`, `kl`, `г`). */
export type Language = {
  /** BCP 47 tag. */
  tag: string;
  /** The month, from 1, of each name, long or short, normalized by `normalizeDate`. */
  months: Map<string, number>;
  /** Words without a meaning of their own that dates and times contain. */
  fillers: Set<string>;
  /** Words beside the names of some months only: `d'abril`, `de març`. */
  links: Set<string>;
  dayPeriods: Map<string, "am" | "pm">;
};

/** Languages in which the apps are used, and regions whose month names differ. */
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
const MONTHS = Array.from({ length: 12 }, (_, index) => index + 1);
const LETTERS = [..."abcdefghijklmnopqrstuvwxyz"];
const DAY_PERIODS: [string, "am" | "pm"][] = [
  ["am", "am"],
  ["pm", "pm"],
];

type LanguageGroup = "english" | "common" | "other";
const cache = new Map<LanguageGroup, Language[]>();

/**
 * Languages of the runtime's ICU (CLDR data), derived from dates that `Intl.DateTimeFormat`
 * formats: English, the other `common` ones, or all of them. Takes some tenths of a second once;
 * `pause` is called in between.
 */
export async function loadLanguages(
  group: LanguageGroup,
  pause: () => Promise<void>,
): Promise<Language[]> {
  const tags = { english: [["en"]], common: [COMMON.split(/\s+/)], other: otherTags() };
  const languages = cache.get(group) ?? (await deriveAll(tags[group], pause));
  cache.set(group, languages);
  return languages;
}

async function deriveAll(
  batches: Iterable<string[]>,
  pause: () => Promise<void>,
): Promise<Language[]> {
  const languages: Language[] = [];
  for (const tags of batches) {
    for (const tag of Intl.DateTimeFormat.supportedLocalesOf(tags)) {
      const language = deriveLanguage(tag);
      if (new Set(language.months.values()).size === 12) languages.push(language);
      await pause();
    }
    await pause();
  }
  return languages;
}

/** All tags of two and three letters, by their first letter: `Intl` cannot list its languages. */
function* otherTags(): Generator<string[]> {
  for (const first of LETTERS) {
    const pairs = LETTERS.map((second) => first + second);
    yield pairs.flatMap((pair) => [pair, ...LETTERS.map((third) => pair + third)]);
  }
}

/** Formats a moment of 2024 in a style, and returns the words of the result. */
type Sample = (style: Intl.DateTimeFormatOptions) => (month: number, hour: number) => string[];

function deriveLanguage(tag: string): Language {
  const sample: Sample = (style) => {
    const options = { calendar: "gregory", numberingSystem: "latn", timeZone: "UTC", ...style };
    const format = new Intl.DateTimeFormat(tag, options);
    return (month, hour) => {
      const date = normalizeDate(format.format(Date.UTC(2024, month - 1, 28, hour, 9)));
      // A word that ends in a number is not a name.
      return wordsIn(date.replaceAll(/\p{L}+\d+/gu, " "));
    };
  };
  const { months, commonWords, monthsOfWord } = deriveMonths(sample);
  const isNoMonth = (word: string) => !monthsOfWord.has(word);
  const sampleTime = sample({ dateStyle: "long", timeStyle: "short", hour12: true });
  const [morning, evening] = [sampleTime(3, 10), sampleTime(3, 22)];
  const dayPeriods = new Map(DAY_PERIODS);
  for (const word of morning) if (!evening.includes(word)) dayPeriods.set(word, "am");
  for (const word of evening) if (!morning.includes(word)) dayPeriods.set(word, "pm");
  // In Welsh, `am` means "at".
  for (const word of morning) if (evening.includes(word)) dayPeriods.delete(word);
  for (const word of monthsOfWord.keys()) dayPeriods.delete(word);
  const fillers = [...commonWords, ...morning, ...evening].filter(
    (word) => isNoMonth(word) && !dayPeriods.has(word),
  );
  const links = [...monthsOfWord]
    .filter(([word, { size }]) => size > 1 && !months.has(word))
    .map(([word]) => word);
  return { tag, months, fillers: new Set(fillers), links: new Set(links), dayPeriods };
}

/** The names of months, the words of all dates, and the months in whose dates other words occur. */
function deriveMonths(sample: Sample) {
  const months = new Map<string, number>();
  const commonWords = new Set<string>();
  const monthsOfWord = new Map<string, Set<number>>();
  const ambiguous = new Set<string>();
  const addName = (name: string, month: number) => {
    if ((months.get(name) ?? month) !== month) ambiguous.add(name);
    months.set(name, month);
  };
  for (const style of STYLES) {
    const sampleDate = sample(style);
    const dates = MONTHS.map((month) => sampleDate(month, 0));
    const isCommon = (word: string) => dates.every((words) => words.includes(word));
    for (const [index, words] of dates.entries()) {
      const month = index + 1;
      const name = words.filter((word) => !isCommon(word));
      for (const word of words.filter(isCommon)) commonWords.add(word);
      for (const word of name)
        monthsOfWord.set(word, (monthsOfWord.get(word) ?? new Set()).add(month));
      if (name.length > 0) addName(name.join(" "), month);
    }
  }
  for (const [word, [month, another]] of monthsOfWord) {
    if (another === undefined) addName(word, month as number);
  }
  for (const name of ambiguous) months.delete(name);
  return { months, commonWords, monthsOfWord };
}

/**
 * A date in the form for comparison: compatibility characters, digits and spaces of other scripts
 * as in ASCII, lower case, no accents on Latin, Greek and Cyrillic letters, single letters with
 * dots as one word (`p. m.` is `pm`), and as `2024-3-28` dates with East Asian signs for year,
 * month and day, or with the numbered months of Vietnamese.
 */
export function normalizeDate(text: string): string {
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

/** The words of a normalized date, in order. */
export const wordsIn = (date: string): string[] => date.match(/\p{L}[\p{L}\p{M}]*/gu) ?? [];

/**
 * The ten digits of a script are consecutive in Unicode, from a multiple of 16 or from 6 after one.
 */
function asciiDigit(digit: string): string {
  const code = digit.codePointAt(0) as number;
  const start = code - (code % 16);
  return String(code - (/\p{Nd}/u.test(String.fromCodePoint(start)) ? start : start + 6));
}
