import { AppError } from "#lib/errors.ts";
import { type Language, loadLanguages } from "./month-names.rules.ts";

/** The words of dates that name a month: their first row, and the days they occur with. */
export type NamedMonth = { words: string[]; row: number; days: Set<string> };

const MIN_PREFIX = 3;
/** More different words in dates than any language has for months and weekdays. */
const MAX_NAMES = 400;

/**
 * The month, from 1, that `words` name in a language: by one of its names, or by a prefix that fits
 * one month only, if the language uses the other words in dates. Null if they name none.
 */
export function monthIn(language: Language, words: string[], allowPrefix = true): number | null {
  const candidates = words.filter(
    (word) => !language.fillers.has(word) && !language.dayPeriods.has(word),
  );
  const fullName = language.months.get(candidates.join(" "));
  if (fullName !== undefined) return fullName;
  let month: number | null = null;
  for (const word of candidates) {
    if (language.links.has(word)) continue;
    const named = language.months.get(word) ?? (allowPrefix ? monthByPrefix(language, word) : null);
    if (named === null || (month !== null && month !== named)) return null;
    month = named;
  }
  return month;
}

function monthByPrefix({ months }: Language, prefix: string): number | null {
  if (prefix.length < MIN_PREFIX) return null;
  const matches = new Set(
    [...months].filter(([name]) => name.startsWith(prefix)).map(([, month]) => month),
  );
  return matches.size === 1 ? ([...matches][0] as number) : null;
}

/**
 * The language of the month names in a file: English if it has them all, else the language that
 * does, or any one of several that agree on their meaning. A single unknown name on one day, among
 * readable dates (`numericCount` counts those without names), is a typing error that costs only its
 * rows. Null if there are no names. Throws as `detectDates` does.
 */
export async function detectLanguage(
  names: NamedMonth[],
  numericCount: number,
  preferred: string | undefined,
  pause: () => Promise<void>,
): Promise<Language | null> {
  if (names.length === 0) return null;
  if (names.length > MAX_NAMES) throw unknownLanguage(names);
  let languages: Language[] = [];
  for (const group of ["english", "common", "other"] as const) {
    languages = [...languages, ...(await loadLanguages(group, pause))];
    const candidates = languagesWith(languages, names, group !== "english");
    if (candidates.length > 0) return selectLanguage(candidates, names, preferred);
  }

  const [known, unknown]: [NamedMonth[], NamedMonth[]] = [[], []];
  for (const name of names) {
    const isKnown = languages.some((language) => monthIn(language, name.words, false) !== null);
    (isKnown ? known : unknown).push(name);
    await pause();
  }
  const readableCount = known.reduce((sum, { days }) => sum + days.size, numericCount);
  const isTypo = unknown.length === 1 && unknown[0]?.days.size === 1 && readableCount > 1;
  if (unknown.length > 0 && !isTypo) throw unknownLanguage(unknown);
  if (known.length === 0) return null;
  const candidates = languagesWith(languages, known);
  if (candidates.length > 0) return selectLanguage(candidates, known, preferred);
  const [best] = languages.toSorted((a, b) => countNamed(b, known) - countNamed(a, known));
  const isNamed = ({ words }: NamedMonth) => monthIn(best as Language, words) !== null;
  const first = known.find(isNamed);
  const other = known.find((name) => !isNamed(name));
  const detail = `The months in rows ${first?.row} and ${other?.row} have names of different languages`;
  throw new AppError("invalid", "imports.dates_contradict", detail);
}

function unknownLanguage([month]: NamedMonth[]): AppError {
  const detail = `The month in row ${month?.row} has a name of no language that we know: export the file in English`;
  return new AppError("invalid", "imports.unknown_language", detail);
}

const countNamed = (language: Language, names: NamedMonth[]) =>
  names.filter(({ words }) => monthIn(language, words) !== null).length;

/**
 * The languages that have all the names; if there are none and prefixes are allowed, those that
 * have them as prefixes.
 */
function languagesWith(languages: Language[], names: NamedMonth[], allowPrefix = true): Language[] {
  const matching = (withPrefix: boolean) =>
    languages.filter((language) =>
      names.every(({ words }) => monthIn(language, words, withPrefix) !== null),
    );
  const byFullName = matching(false);
  return byFullName.length > 0 || !allowPrefix ? byFullName : matching(true);
}

/** Throws invalid (`imports.language_required`) if the languages disagree on a month. */
function selectLanguage(
  languages: Language[],
  names: NamedMonth[],
  preferred: string | undefined,
): Language {
  const english = languages.find(({ tag }) => tag === "en");
  if (english) return english;
  const meanings = new Map(
    languages.map((language) => [
      names.map(({ words }) => monthIn(language, words)).join(),
      language,
    ]),
  );
  const [first] = languages as [Language];
  if (meanings.size === 1) return first;
  const preferredTag = preferred?.toLowerCase();
  const match =
    languages.find(({ tag }) => tag.toLowerCase() === preferredTag) ??
    languages.find(({ tag }) => tag.split("-")[0] === preferredTag?.split("-")[0]);
  if (match) return match;
  const tags = [...meanings.values()].map(({ tag }) => tag).slice(0, 10);
  const detail = `The month in row ${names[0]?.row} means another in ${tags.join(", ")}: set language`;
  throw new AppError("invalid", "imports.language_required", detail);
}
