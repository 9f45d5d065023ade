import { AppError } from "../errors.ts";
import { decideLanguage, monthIn, type NamedMonth } from "./languages.rules.ts";
import type { WallTime } from "./local-time.rules.ts";
import type { Language } from "./month-names.rules.ts";
import { foldDate, wordsIn } from "./month-names.rules.ts";

/** What the file does not say of its dates, as the client said it. */
export type DateOptions = { dateOrder?: "dmy" | "mdy"; language?: string };

type Time = { hour: number; minute: number; second: number } | null;
/** A date as it stands there, before anything is decided: its month is known, one of two numbers, or a word. */
type Shape =
  | { kind: "plain"; year: number; month: number; day: number; time: Time; words: string[] }
  | { kind: "numbers"; year: number; first: number; second: number; time: Time; words: string[] }
  | { kind: "words"; year: number; day: number; time: Time; words: string[] };

/** Reads dates of one file. */
export type DateReader = {
  /** The date and time that a text says, null when there is no such; without a time of day only if `isDay`. */
  read(text: string, isDay?: boolean): WallTime | null;
};

const [FIRST_YEAR, LAST_YEAR] = [1900, 2199];
/** Of the dates of a file, one in so many makes a form that it is written in. */
const MIN_PART = 12;
const TEXTS_AT_ONCE = 64;
/** No language needs as many for a date. */
const MAX_DATE_CHARACTERS = 120;
const TIME = /(?<![\d.:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,6})?)?(?![\d:])/;
/** Danish, Finnish and Indonesian clocks have a dot, Canadian ones an h; behind the year, lest it be a date. */
const DOTTED_TIME =
  /(?<=\d{4}(?:\D*|[-/.]\d{1,2}[-/.]\d{1,2},?|\D+\d{1,2}\D*)\s)(\d{1,2})(?:\.| ?h ?)(\d{2})(?:\.(\d{2}))?(?![\d.])/;
const YEAR_FIRST = /^(\d{4})[-/.]\s?(\d{1,2})[-/.]\s?(\d{1,2})(?:t| |,|\.|$)/;
const YEAR_LAST = /^(\d{1,2})(?:[-/.]\s?| )(\d{1,2})(?:[-/.]\s?| )(\d{4})(?: |,|\.|$)/;
const HALVES = new Map<string, "am" | "pm">(
  Object.entries({
    ...{
      am: "am",
      pm: "pm",
      上午: "am",
      下午: "pm",
      上晝: "am",
      下晝: "pm",
      午前: "am",
      午後: "pm",
      오전: "am",
      오후: "pm",
    },
    ...{ ص: "am", م: "pm", πμ: "am", μμ: "pm", sa: "am", ch: "pm" },
  } as const),
);
/** Words between numbers that are a date and the time. */
const FILLERS = new Set(["at", "um", "om", "kl", "klo", "kell", "luc", "г", "ч", "в", "р", "о", "u"]);

/**
 * Decides once for a whole file how its dates are to be read, from `texts`, its dates with the first row of each. A day
 * beyond the 12th says which of two numbers is the day; one language has all names of months. What the file does not say
 * is taken from `options`. Throws invalid: `imports.date_order_required`, `imports.language_required`,
 * `imports.unknown_language`, `imports.unknown_dates`, and `imports.dates_contradict` when rows say different things.
 */
export async function decideDates(
  texts: Map<string, number>,
  options: DateOptions,
  pause: () => Promise<void>,
): Promise<DateReader> {
  const shapes = new Map<string, Shape | null>();
  for (const text of texts.keys()) {
    shapes.set(text, shapeOf(text));
    if (shapes.size % TEXTS_AT_ONCE === 0) await pause();
  }
  const dated = [...shapes].map(([text, shape]) => ({ shape, row: texts.get(text) as number }));
  expectForms(shapes, texts);
  const order = decideOrder(dated, options.dateOrder);
  const months = new Map<string, NamedMonth>();
  for (const { shape, row } of dated) {
    if (shape?.kind !== "words") continue;
    const day = `${shape.year}-${shape.day}`;
    const known = months.get(shape.words.join(" "));
    if (known) known.days.add(day);
    else months.set(shape.words.join(" "), { words: shape.words, row, days: new Set([day]) });
  }
  const readable = dated.filter(({ shape }) => shape && shape.kind !== "words").length;
  const language = await decideLanguage([...months.values()], readable, options.language, pause);
  return {
    read: (text, isDay = false) => {
      const shape = shapes.get(text) ?? shapeOf(text);
      return shape && (shape.time !== null) !== isDay ? wallTimeOf(shape, order, language) : null;
    },
  };
}

/**
 * Throws when dates are written in a form that we do not know. One is a slip of the hand; several are how the file is
 * written, and what of it could be read would be a part by luck.
 */
function expectForms(shapes: Map<string, Shape | null>, texts: Map<string, number>): void {
  const odd = [...shapes].flatMap(([text, shape]) => (shape === null && isLikeDate(text) ? [text] : []));
  if (odd.length < 2 || odd.length * MIN_PART < shapes.size) return;
  const detail = `The date in row ${texts.get(odd[0] as string)}, and ${odd.length - 1} more, are in a form that we do not know`;
  throw new AppError("invalid", "imports.unknown_dates", detail);
}

/** Whether a year and another number stand in it, or three numbers that are no time. */
function isLikeDate(text: string): boolean {
  if (text.length > MAX_DATE_CHARACTERS) return false;
  const numbers = foldDate(text).replace(TIME, " ").match(/\d+/g) ?? [];
  return numbers.length > (numbers.some(({ length }) => length === 4) ? 1 : 2);
}

/** Which of the numbers is the day: one beyond 12 is no month. Null when it can be neither. */
function provenOrder({ year, first, second }: { year: number; first: number; second: number }) {
  const [isDmy, isMdy] = [isDay(year, second, first), isDay(year, first, second)];
  if (isDmy && isMdy) return "either";
  return isDmy ? "dmy" : isMdy ? "mdy" : null;
}

function decideOrder(dated: { shape: Shape | null; row: number }[], given: "dmy" | "mdy" | undefined): "dmy" | "mdy" {
  const rows: { dmy?: number; mdy?: number; either?: number } = {};
  for (const { shape, row } of dated) {
    if (shape?.kind !== "numbers" || shape.first === shape.second) continue;
    const order = provenOrder(shape);
    if (order) rows[order] ??= row;
  }
  if (rows.dmy && rows.mdy) {
    const detail = `In row ${rows.dmy} the day stands before the month, in row ${rows.mdy} behind it`;
    throw new AppError("invalid", "imports.dates_contradict", detail);
  }
  const order = rows.dmy ? "dmy" : rows.mdy ? "mdy" : given;
  if (rows.either && !order) {
    const detail = `The date in row ${rows.either} may have the day or the month first: say which by dateOrder`;
    throw new AppError("invalid", "imports.date_order_required", detail);
  }
  return order ?? "dmy";
}

function shapeOf(text: string): Shape | null {
  if (text.length > MAX_DATE_CHARACTERS) return null;
  const folded = foldDate(text);
  const clock = TIME.exec(folded) ?? DOTTED_TIME.exec(folded);
  const time = clock && { hour: Number(clock[1]), minute: Number(clock[2]), second: Number(clock[3] ?? 0) };
  const date = (clock ? folded.replace(clock[0], " ") : folded).trim();
  const words = wordsIn(date);
  const shared = { time, words };
  const numeric = date.replace(/^\p{L}+\s+/u, (word) => (FILLERS.has(word.trim()) ? "" : word));
  const [whole, a = "", b = "", c = ""] = YEAR_FIRST.exec(numeric) ?? YEAR_LAST.exec(numeric) ?? [];
  if (whole !== undefined) {
    const rest = numeric.slice(whole.length);
    if (/\d/.test(rest) || wordsIn(rest).some((word) => !HALVES.has(word) && !FILLERS.has(word))) return null;
    return a.length === 4
      ? { kind: "plain", year: Number(a), month: Number(b), day: Number(c), ...shared, words: wordsIn(rest) }
      : { kind: "numbers", first: Number(a), second: Number(b), year: Number(c), ...shared, words: wordsIn(rest) };
  }
  const numbers = date.match(/\d+/g) ?? [];
  const year = numbers.find((number) => number.length === 4);
  const day = numbers.find((number) => number.length < 3);
  if (numbers.length !== 2 || year === undefined || day === undefined || words.length === 0) return null;
  return { kind: "words", year: Number(year), day: Number(day), ...shared };
}

function wallTimeOf(shape: Shape, order: "dmy" | "mdy", language: Language | null): WallTime | null {
  const [month, day] = monthAndDay(shape, order, language);
  const halves = shape.kind === "words" ? language?.halves : HALVES;
  const half = shape.words.map((word) => halves?.get(word)).find((found) => found !== undefined);
  const hour = shape.time === null ? 12 : hourOf(shape.time.hour, half);
  if (month === null || hour === null || !isDay(shape.year, month, day)) return null;
  const { minute, second } = shape.time ?? { minute: 0, second: 0 };
  if (hour > 23 || minute > 59 || second > 59) return null;
  return Temporal.PlainDateTime.from({ year: shape.year, month, day, hour, minute, second });
}

function monthAndDay(shape: Shape, order: "dmy" | "mdy", language: Language | null): [number | null, number] {
  if (shape.kind === "plain") return [shape.month, shape.day];
  if (shape.kind === "words") return [language && monthIn(language, shape.words), shape.day];
  return order === "dmy" ? [shape.second, shape.first] : [shape.first, shape.second];
}

function hourOf(hour: number, half: "am" | "pm" | undefined): number | null {
  if (half === undefined) return hour;
  // Japanese clocks go from 0 to 11.
  if (hour > 12) return null;
  return (hour % 12) + (half === "pm" ? 12 : 0);
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
