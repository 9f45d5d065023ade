import { AppError } from "#lib/errors.ts";
import { type Language, loadLanguages } from "./month-names.rules.ts";

/** The words of dates with a month name, their first row, and their days. */
export type NamedMonth = { words: string[]; row: number; days: Set<string> };

const MIN_LETTERS = 3;
/**
 * The limit on different words in a file's dates: more than any language has for months and
 * weekdays.
 */
const MAX_NAMES = 400;

/**
 * The month, from 1, that `words` name in a language: by one of its names, or by a prefix that fits
 * one month only, if the other words are usual in its dates. Null if they name none.
 */
export function monthIn(language: Language, words: string[], mayBeginOnly = true): number | null {
  const named = words.filter((word) => !language.fillers.has(word) && !language.halves.has(word));
  const whole = language.months.get(named.join(" "));
  if (whole !== undefined) return whole;
  let month: number | null = null;
  for (const word of named) {
    if (language.links.has(word)) continue;
    const found = language.months.get(word) ?? (mayBeginOnly ? monthBegunBy(language, word) : null);
    if (found === null || (month !== null && month !== found)) return null;
    month = found;
  }
  return month;
}

function monthBegunBy({ months }: Language, word: string): number | null {
  if (word.length < MIN_LETTERS) return null;
  const begun = new Set(
    [...months].filter(([name]) => name.startsWith(word)).map(([, month]) => month),
  );
  const [only] = begun;
  return begun.size === 1 ? (only as number) : null;
}

/**
 * The language of the month names in a file: English if it has them all, else the language that
 * does, or any one of several that agree on their meaning. A single unknown name on one day, among
 * dates that are readable (`readable` counts those without names), is a slip that costs only its
 * rows. Null if there are no names. Throws as `decideDates` does.
 */
export async function decideLanguage(
  given: NamedMonth[],
  readable: number,
  preferred: string | undefined,
  pause: () => Promise<void>,
): Promise<Language | null> {
  if (given.length === 0) return null;
  if (given.length > MAX_NAMES) throw unknownLanguage(given);
  let known: Language[] = [];
  for (const which of ["english", "common", "other"] as const) {
    known = [...known, ...(await loadLanguages(which, pause))];
    const languages = readersOf(known, given, which !== "english");
    if (languages.length > 0) return chosen(languages, given, preferred);
  }

  const [months, odd]: [NamedMonth[], NamedMonth[]] = [[], []];
  for (const month of given) {
    (known.some((language) => monthIn(language, month.words, false) !== null) ? months : odd).push(
      month,
    );
    await pause();
  }
  const goodCount = months.reduce((sum, { days }) => sum + days.size, readable);
  const isSlip = odd.length === 1 && odd[0]?.days.size === 1 && goodCount > 1;
  if (odd.length > 0 && !isSlip) throw unknownLanguage(odd);
  if (months.length === 0) return null;
  const likely = readersOf(known, months);
  if (likely.length > 0) return chosen(likely, months, preferred);
  const best = known.toSorted((a, b) => countRead(b, months) - countRead(a, months))[0] as Language;
  const [read, other] = [true, false].map((is) =>
    months.find(({ words }) => (monthIn(best, words) !== null) === is),
  );
  const detail = `The months in rows ${read?.row} and ${other?.row} have names of different languages`;
  throw new AppError("invalid", "imports.dates_contradict", detail);
}

function unknownLanguage([month]: NamedMonth[]): AppError {
  const detail = `The month in row ${month?.row} has a name of no language that we know: export the file in English`;
  return new AppError("invalid", "imports.unknown_language", detail);
}

const countRead = (language: Language, months: NamedMonth[]) =>
  months.filter(({ words }) => monthIn(language, words) !== null).length;

/**
 * The languages that have all the names; if there are none and prefixes are allowed, those that
 * have them as prefixes.
 */
function readersOf(languages: Language[], months: NamedMonth[], mayBegin = true): Language[] {
  for (const mayBeginOnly of mayBegin ? [false, true] : [false]) {
    const readers = languages.filter((one) =>
      months.every(({ words }) => monthIn(one, words, mayBeginOnly) !== null),
    );
    if (readers.length > 0) return readers;
  }
  return [];
}

function chosen(
  languages: Language[],
  months: NamedMonth[],
  preferred: string | undefined,
): Language {
  const english = languages.find(({ tag }) => tag === "en");
  if (english) return english;
  const meanings = new Map(
    languages.map((language) => [
      months.map(({ words }) => monthIn(language, words)).join(),
      language,
    ]),
  );
  const [first] = languages as [Language];
  if (meanings.size === 1) return first;
  const isPreferred = ({ tag }: Language) => tag.toLowerCase() === preferred?.toLowerCase();
  const isAlike = ({ tag }: Language) =>
    tag.split("-")[0] === preferred?.toLowerCase().split("-")[0];
  const answer = languages.find(isPreferred) ?? languages.find(isAlike);
  if (answer) return answer;
  const tags = [...meanings.values()].map(({ tag }) => tag).slice(0, 10);
  const detail = `The month in row ${months[0]?.row} means another in ${tags.join(", ")}: set language`;
  throw new AppError("invalid", "imports.language_required", detail);
}
