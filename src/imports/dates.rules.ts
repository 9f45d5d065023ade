import { AppError } from "#lib/errors.ts";
import { detectLanguage, monthIn, type NamedMonth } from "./languages.rules.ts";
import type { WallTime } from "./local-time.rules.ts";
import { type Language, normalizeDate, wordsIn } from "./month-names.rules.ts";

/** How the client resolves ambiguous dates. */
export type DateOptions = { dateOrder?: "dmy" | "mdy"; language?: string };

type Time = { hour: number; minute: number; second: number } | null;
/** A date before ambiguities are resolved: its month is known, one of two numbers, or a word. */
type ParsedDate =
  | { kind: "ymd"; year: number; month: number; day: number; time: Time; words: string[] }
  | { kind: "numbers"; year: number; first: number; second: number; time: Time; words: string[] }
  | { kind: "words"; year: number; day: number; time: Time; words: string[] };

/** Reads the dates of one file. */
export type DateReader = {
  /**
   * The date and time of a text, or null if it is invalid. With `isDay` the text has no time of
   * day, else it must.
   */
  read(text: string, isDay?: boolean): WallTime | null;
};

const [FIRST_YEAR, LAST_YEAR] = [1900, 2199];
/** Unknown dates are the form of the file, not typing errors, from one in this many. */
const DATES_PER_TYPO = 12;
const DATES_PER_PAUSE = 64;
/** Longer than a date in any language. */
const MAX_DATE_CHARACTERS = 120;
const TIME = /(?<![\d.:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,6})?)?(?![\d:])/;
/**
 * Danish, Finnish and Indonesian times have a dot, Canadian French ones an h. Only after the year,
 * because elsewhere it may be a date.
 */
const DOTTED_TIME =
  /(?<=\d{4}(?:\D*|[-/.]\d{1,2}[-/.]\d{1,2},?|\D+\d{1,2}\D*)\s)(\d{1,2})(?:\.| ?h ?)(\d{2})(?:\.(\d{2}))?(?![\d.])/;
const YEAR_FIRST = /^(\d{4})[-/.]\s?(\d{1,2})[-/.]\s?(\d{1,2})(?:t| |,|\.|$)/;
const YEAR_LAST = /^(\d{1,2})(?:[-/.]\s?| )(\d{1,2})(?:[-/.]\s?| )(\d{4})(?: |,|\.|$)/;
const DAY_PERIODS = new Map<string, "am" | "pm">(
  [
    ["am", "pm"],
    ["上午", "下午"],
    ["上晝", "下晝"],
    ["午前", "午後"],
    ["오전", "오후"],
    ["ص", "م"],
    ["πμ", "μμ"],
    ["sa", "ch"],
  ].flatMap(([am, pm]): [string, "am" | "pm"][] => [
    [am as string, "am"],
    [pm as string, "pm"],
  ]),
);
/** Words between a date and a time. */
const FILLERS = new Set("at um om kl klo kell luc г ч в р о u".split(" "));

/**
 * Detects how the dates of a file are written, once for the whole file. `texts` has the dates, each
 * with its first row. A day beyond the 12th shows which of two numbers is the day; the language is
 * the one that has all the month names. `options` resolve what remains ambiguous. Throws invalid:
 * `imports.date_order_required`, `imports.language_required`, `imports.unknown_language`,
 * `imports.unknown_dates`, and `imports.dates_contradict` if rows contradict each other.
 */
export async function detectDates(
  texts: Map<string, number>,
  options: DateOptions,
  pause: () => Promise<void>,
): Promise<DateReader> {
  const parsed = new Map<string, ParsedDate | null>();
  for (const text of texts.keys()) {
    parsed.set(text, parseDate(text));
    if (parsed.size % DATES_PER_PAUSE === 0) await pause();
  }
  rejectUnknownForms(parsed, texts);
  const dates = [...parsed].map(([text, date]) => ({ date, row: texts.get(text) as number }));
  const order = detectOrder(dates, options.dateOrder);
  const months = new Map<string, NamedMonth>();
  let numericCount = 0;
  for (const { date, row } of dates) {
    if (date?.kind !== "words") {
      if (date) numericCount++;
      continue;
    }
    const { words } = date;
    const month = months.get(words.join(" ")) ?? { words, row, days: new Set() };
    month.days.add(`${date.year}-${date.day}`);
    months.set(words.join(" "), month);
  }
  const names = [...months.values()];
  const language = await detectLanguage(names, numericCount, options.language, pause);
  return {
    read: (text, isDay = false) => {
      const date = parsed.get(text) ?? parseDate(text);
      return date && (date.time !== null) !== isDay ? toWallTime(date, order, language) : null;
    },
  };
}

/**
 * Throws if the file uses an unknown form of dates. A single unknown date is a typing error;
 * several are the form of the file, which then would be read only in part.
 */
function rejectUnknownForms(
  parsed: Map<string, ParsedDate | null>,
  texts: Map<string, number>,
): void {
  const [first, ...others] = [...parsed]
    .filter(([text, date]) => date === null && resemblesDate(text))
    .map(([text]) => text);
  if (first === undefined || others.length === 0) return;
  if ((others.length + 1) * DATES_PER_TYPO < parsed.size) return;
  const detail = `The date in row ${texts.get(first)}, and ${others.length} more, are in an unknown form`;
  throw new AppError("invalid", "imports.unknown_dates", detail);
}

/** Whether it contains a year and another number, or three numbers that are not a time. */
function resemblesDate(text: string): boolean {
  if (text.length > MAX_DATE_CHARACTERS) return false;
  const numbers = normalizeDate(text).replace(TIME, " ").match(/\d+/g) ?? [];
  return numbers.length > (numbers.some(({ length }) => length === 4) ? 1 : 2);
}

/** The orders in which two numbers are a day and a month that exist; null if neither. */
function possibleOrder({ year, first, second }: { year: number; first: number; second: number }) {
  const [isDmy, isMdy] = [isDay(year, second, first), isDay(year, first, second)];
  if (isDmy && isMdy) return "either";
  return isDmy ? "dmy" : isMdy ? "mdy" : null;
}

function detectOrder(
  dates: { date: ParsedDate | null; row: number }[],
  preferred: "dmy" | "mdy" | undefined,
): "dmy" | "mdy" {
  const rows: { dmy?: number; mdy?: number; either?: number } = {};
  for (const { date, row } of dates) {
    if (date?.kind !== "numbers" || date.first === date.second) continue;
    const order = possibleOrder(date);
    if (order) rows[order] ??= row;
  }
  if (rows.dmy && rows.mdy) {
    const detail = `In row ${rows.dmy} the day comes before the month, in row ${rows.mdy} after it`;
    throw new AppError("invalid", "imports.dates_contradict", detail);
  }
  const order = rows.dmy ? "dmy" : rows.mdy ? "mdy" : preferred;
  if (rows.either && !order) {
    const detail = `The date in row ${rows.either} may have the day or the month first: set dateOrder`;
    throw new AppError("invalid", "imports.date_order_required", detail);
  }
  return order ?? "dmy";
}

function parseDate(text: string): ParsedDate | null {
  if (text.length > MAX_DATE_CHARACTERS) return null;
  const normalized = normalizeDate(text);
  const clock = TIME.exec(normalized) ?? DOTTED_TIME.exec(normalized);
  const time = clock && {
    hour: Number(clock[1]),
    minute: Number(clock[2]),
    second: Number(clock[3] ?? 0),
  };
  const date = (clock ? normalized.replace(clock[0], " ") : normalized).trim();
  const words = wordsIn(date);
  const numeric = date.replace(/^\p{L}+\s+/u, (word) => (FILLERS.has(word.trim()) ? "" : word));
  const [match, a = "", b = "", c = ""] = YEAR_FIRST.exec(numeric) ?? YEAR_LAST.exec(numeric) ?? [];
  if (match !== undefined) {
    const rest = numeric.slice(match.length);
    const restWords = wordsIn(rest);
    if (/\d/.test(rest) || restWords.some((word) => !DAY_PERIODS.has(word) && !FILLERS.has(word)))
      return null;
    const [first, second, third] = [Number(a), Number(b), Number(c)];
    return a.length === 4
      ? { kind: "ymd", year: first, month: second, day: third, time, words: restWords }
      : { kind: "numbers", first, second, year: third, time, words: restWords };
  }
  const numbers = date.match(/\d+/g) ?? [];
  const year = numbers.find((number) => number.length === 4);
  const day = numbers.find((number) => number.length < 3);
  if (numbers.length !== 2 || year === undefined || day === undefined || words.length === 0)
    return null;
  return { kind: "words", year: Number(year), day: Number(day), time, words };
}

function toWallTime(
  date: ParsedDate,
  order: "dmy" | "mdy",
  language: Language | null,
): WallTime | null {
  const { year, time, words } = date;
  const [month, day] = monthAndDay(date, order, language);
  const dayPeriods = date.kind === "words" ? language?.dayPeriods : DAY_PERIODS;
  const dayPeriodWord = words.find((word) => dayPeriods?.has(word));
  const hour = time === null ? 12 : to24Hours(time.hour, dayPeriods?.get(dayPeriodWord ?? ""));
  if (month === null || hour === null || !isDay(year, month, day)) return null;
  const { minute, second } = time ?? { minute: 0, second: 0 };
  if (hour > 23 || minute > 59 || second > 59) return null;
  return Temporal.PlainDateTime.from({ year, month, day, hour, minute, second });
}

function monthAndDay(
  date: ParsedDate,
  order: "dmy" | "mdy",
  language: Language | null,
): [number | null, number] {
  if (date.kind === "ymd") return [date.month, date.day];
  if (date.kind === "words") return [language && monthIn(language, date.words), date.day];
  return order === "dmy" ? [date.second, date.first] : [date.first, date.second];
}

function to24Hours(hour: number, dayPeriod: "am" | "pm" | undefined): number | null {
  if (dayPeriod === undefined) return hour;
  // Hour 0 is allowed: Japanese 12-hour times go from 0 to 11.
  if (hour > 12) return null;
  return (hour % 12) + (dayPeriod === "pm" ? 12 : 0);
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
