import { AppError } from "#lib/errors.ts";
import { decideLanguage, monthIn, type NamedMonth } from "./languages.rules.ts";
import type { WallTime } from "./local-time.rules.ts";
import type { Language } from "./month-names.rules.ts";
import { foldDate, wordsIn } from "./month-names.rules.ts";

/** How the client resolves ambiguous dates. */
export type DateOptions = { dateOrder?: "dmy" | "mdy"; language?: string };

type Time = { hour: number; minute: number; second: number } | null;
/** A date before ambiguities are resolved: its month is known, one of two numbers, or a word. */
type Shape =
  | { kind: "plain"; year: number; month: number; day: number; time: Time; words: string[] }
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
/** Unknown dates are a form of the file, and not slips, if they are at least one in this many. */
const MIN_PART = 12;
const TEXTS_AT_ONCE = 64;
/** Longer than a date in any language. */
const MAX_DATE_CHARACTERS = 120;
const TIME = /(?<![\d.:])(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,6})?)?(?![\d:])/;
/**
 * Danish, Finnish and Indonesian times have a dot, Canadian ones an h. Only after the year, because
 * it may be a date elsewhere.
 */
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
/** Words that may stand between a date and a time. */
const FILLERS = new Set([
  "at",
  "um",
  "om",
  "kl",
  "klo",
  "kell",
  "luc",
  "г",
  "ч",
  "в",
  "р",
  "о",
  "u",
]);

/**
 * Decides once for a whole file how to read its dates. `texts` has the dates, each with its first
 * row. A day beyond the 12th shows which of two numbers is the day; the language is the one that
 * has all the month names. `options` resolve what the file leaves open. Throws invalid:
 * `imports.date_order_required`, `imports.language_required`, `imports.unknown_language`,
 * `imports.unknown_dates`, and `imports.dates_contradict` if rows contradict each other.
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
  refuseUnknownForms(shapes, texts);
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
 * Throws if the file uses an unknown form of dates. A single unknown date is a slip; several are
 * the form of the file, which then could be read only in part.
 */
function refuseUnknownForms(shapes: Map<string, Shape | null>, texts: Map<string, number>): void {
  const odd = [...shapes].flatMap(([text, shape]) =>
    shape === null && isLikeDate(text) ? [text] : [],
  );
  if (odd.length < 2 || odd.length * MIN_PART < shapes.size) return;
  const detail = `The date in row ${texts.get(odd[0] as string)}, and ${odd.length - 1} more, are in an unknown form`;
  throw new AppError("invalid", "imports.unknown_dates", detail);
}

/** Whether it contains a year and another number, or three numbers that are not a time. */
function isLikeDate(text: string): boolean {
  if (text.length > MAX_DATE_CHARACTERS) return false;
  const numbers = foldDate(text).replace(TIME, " ").match(/\d+/g) ?? [];
  return numbers.length > (numbers.some(({ length }) => length === 4) ? 1 : 2);
}

/**
 * Which number must be the day, since one beyond 12 is not a month. Null if neither order gives a
 * date.
 */
function provenOrder({ year, first, second }: { year: number; first: number; second: number }) {
  const [isDmy, isMdy] = [isDay(year, second, first), isDay(year, first, second)];
  if (isDmy && isMdy) return "either";
  return isDmy ? "dmy" : isMdy ? "mdy" : null;
}

function decideOrder(
  dated: { shape: Shape | null; row: number }[],
  given: "dmy" | "mdy" | undefined,
): "dmy" | "mdy" {
  const rows: { dmy?: number; mdy?: number; either?: number } = {};
  for (const { shape, row } of dated) {
    if (shape?.kind !== "numbers" || shape.first === shape.second) continue;
    const order = provenOrder(shape);
    if (order) rows[order] ??= row;
  }
  if (rows.dmy && rows.mdy) {
    const detail = `In row ${rows.dmy} the day comes before the month, in row ${rows.mdy} after it`;
    throw new AppError("invalid", "imports.dates_contradict", detail);
  }
  const order = rows.dmy ? "dmy" : rows.mdy ? "mdy" : given;
  if (rows.either && !order) {
    const detail = `The date in row ${rows.either} may have the day or the month first: set dateOrder`;
    throw new AppError("invalid", "imports.date_order_required", detail);
  }
  return order ?? "dmy";
}

function shapeOf(text: string): Shape | null {
  if (text.length > MAX_DATE_CHARACTERS) return null;
  const folded = foldDate(text);
  const clock = TIME.exec(folded) ?? DOTTED_TIME.exec(folded);
  const time = clock && {
    hour: Number(clock[1]),
    minute: Number(clock[2]),
    second: Number(clock[3] ?? 0),
  };
  const date = (clock ? folded.replace(clock[0], " ") : folded).trim();
  const words = wordsIn(date);
  const shared = { time, words };
  const numeric = date.replace(/^\p{L}+\s+/u, (word) => (FILLERS.has(word.trim()) ? "" : word));
  const [whole, a = "", b = "", c = ""] = YEAR_FIRST.exec(numeric) ?? YEAR_LAST.exec(numeric) ?? [];
  if (whole !== undefined) {
    const rest = numeric.slice(whole.length);
    if (/\d/.test(rest) || wordsIn(rest).some((word) => !HALVES.has(word) && !FILLERS.has(word)))
      return null;
    return a.length === 4
      ? {
          kind: "plain",
          year: Number(a),
          month: Number(b),
          day: Number(c),
          ...shared,
          words: wordsIn(rest),
        }
      : {
          kind: "numbers",
          first: Number(a),
          second: Number(b),
          year: Number(c),
          ...shared,
          words: wordsIn(rest),
        };
  }
  const numbers = date.match(/\d+/g) ?? [];
  const year = numbers.find((number) => number.length === 4);
  const day = numbers.find((number) => number.length < 3);
  if (numbers.length !== 2 || year === undefined || day === undefined || words.length === 0)
    return null;
  return { kind: "words", year: Number(year), day: Number(day), ...shared };
}

function wallTimeOf(
  shape: Shape,
  order: "dmy" | "mdy",
  language: Language | null,
): WallTime | null {
  const [month, day] = monthAndDay(shape, order, language);
  const halves = shape.kind === "words" ? language?.halves : HALVES;
  const half = shape.words.map((word) => halves?.get(word)).find((found) => found !== undefined);
  const hour = shape.time === null ? 12 : hourOf(shape.time.hour, half);
  if (month === null || hour === null || !isDay(shape.year, month, day)) return null;
  const { minute, second } = shape.time ?? { minute: 0, second: 0 };
  if (hour > 23 || minute > 59 || second > 59) return null;
  return Temporal.PlainDateTime.from({ year: shape.year, month, day, hour, minute, second });
}

function monthAndDay(
  shape: Shape,
  order: "dmy" | "mdy",
  language: Language | null,
): [number | null, number] {
  if (shape.kind === "plain") return [shape.month, shape.day];
  if (shape.kind === "words") return [language && monthIn(language, shape.words), shape.day];
  return order === "dmy" ? [shape.second, shape.first] : [shape.first, shape.second];
}

function hourOf(hour: number, half: "am" | "pm" | undefined): number | null {
  if (half === undefined) return hour;
  // Hour 0 is allowed: Japanese 12-hour times go from 0 to 11.
  if (hour > 12) return null;
  return (hour % 12) + (half === "pm" ? 12 : 0);
}

function isDay(year: number, month: number, day: number): boolean {
  if (year < FIRST_YEAR || year > LAST_YEAR || month < 1 || month > 12 || day < 1) return false;
  return day <= new Date(Date.UTC(year, month, 0)).getUTCDate();
}
