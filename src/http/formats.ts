import { FormatRegistry } from "@sinclair/typebox";

/** How a text is normalised before it is checked. */
export type Normalisation = "trim" | "name" | "printable" | "lower-case-name" | "email" | "uuid";

/**
 * `text` in the form in which it is checked, compared and stored. All but ids are in Unicode's
 * composed form (NFC), so that equivalent spellings compare as equal.
 */
export function normaliseText(form: Normalisation | undefined, text: string): string {
  if (form === "uuid") return text.toLowerCase();
  if (form === undefined || !text.isWellFormed()) return text;
  if (form === "trim") return text.normalize("NFC").trim();
  if (form === "name") return collapsed(text);
  if (form === "printable") return printable(text);
  if (form === "lower-case-name") return collapsed(text.toLowerCase());
  return normaliseEmail(text);
}

const collapsed = (text: string) => text.normalize("NFC").replace(/\s+/gu, " ").trim();

/** An email address in the form in which accounts are compared. */
export const normaliseEmail = (address: string): string =>
  address.trim().toLowerCase().normalize("NFC");

/**
 * Whether a text has at most `most` characters, as JSON Schema and PostgreSQL count: by code
 * points, of which none takes more than two units of a string.
 */
export const hasAtMost = (text: string, most: number): boolean =>
  text.length <= most || (text.length <= 2 * most && [...text].length <= most);

const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/;
FormatRegistry.Set("uuid", (value) => UUID.test(value));

/**
 * RFC 5321 lengths, one @, no spaces, a dotted domain of letters, digits and hyphens. Before the @
 * any letters (RFC 6531), but no control, format, private, unassigned or invisible characters.
 */
const EMAIL =
  /^[^\s@"(),:;<>[\]\\\p{C}\p{Default_Ignorable_Code_Point}\u2800]{1,64}@[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?:\.[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?)+$/u;
FormatRegistry.Set("idn-email", (value) => EMAIL.test(value) && !/^\.|\.\.|\.@/.test(value));

/** Invisible characters: Unicode's list (fillers, selectors, joiners), and the Braille blank. */
const INVISIBLE = "\\p{Default_Ignorable_Code_Point}\\u2800";
const VISIBLE = new RegExp(`(?![${INVISIBLE}])[\\p{L}\\p{N}\\p{P}\\p{S}]`, "u");

const OTHER_SCRIPT = "(?![\\p{sc=Latin}\\p{sc=Greek}\\p{sc=Cyrillic}])";
const joining = (more = "") => `${OTHER_SCRIPT}[\\p{L}\\p{M}\\p{Extended_Pictographic}${more}]`;
/**
 * Characters that a name may not contain: control, format and invisible ones. The captured group is
 * kept, because scripts and emoji need it: a joiner (U+200C, U+200D) between letters and marks of a
 * script that joins, or between pictographs; a variation selector after such a letter or
 * pictograph, or in a keycap. Between Latin, Greek or Cyrillic letters they would only make
 * different names look the same.
 */
const UNPRINTABLE = new RegExp(
  `((?<=${joining("\\p{Emoji_Modifier}\\ufe0f")})[\\u200c\\u200d](?=${joining()})` +
    `|(?<=${OTHER_SCRIPT}[\\p{L}\\p{Extended_Pictographic}])\\p{Variation_Selector}` +
    `|(?<=[0-9#*])\\ufe0f(?=\\u20e3))` +
    `|[\\p{Cc}\\p{Cf}\\u2028\\u2029${INVISIBLE}]`,
  "gu",
);

const withoutUnprintable = (text: string): string => text.replace(UNPRINTABLE, "$1");

/** A name from a file, without the characters that names may not contain. */
export const printable = (text: string): string =>
  collapsed(withoutUnprintable(text.replace(/\s+/gu, " ")));

/** Whether the value is a valid name: it has a visible character and no unprintable ones. */
export const isTitle = (value: string): boolean =>
  withoutUnprintable(value) === value && VISIBLE.test(value);

/**
 * The name of a thing: no control, format or invisible characters, and at least one visible
 * character.
 */
FormatRegistry.Set("title", isTitle);
/** A title of 3 characters or more as PostgreSQL counts them. */
FormatRegistry.Set("name", (value) => isTitle(value) && [...value].length >= 3);

/** A day that exists, from 1900 to 2199. */
FormatRegistry.Set("date", (value) => /^(?:19|2[01])/.test(value) && isDay(value));

/**
 * RFC 3339 with an offset, on a day that exists, from 1900 to 2199 in UTC too. PostgreSQL accepts
 * offsets up to 15:59 and microseconds. Leap seconds are refused: neither PostgreSQL nor JavaScript
 * can represent them.
 */
const INSTANT =
  /^(\d{4}-\d{2}-\d{2})[Tt](?:[01]\d|2[0-3]):[0-5]\d:[0-5]\d(?:\.\d{1,6})?(?:[Zz]|[+-](?:0\d|1[0-5]):[0-5]\d)$/;
const FIRST_MS = Date.UTC(1900, 0, 1);
const END_MS = Date.UTC(2200, 0, 1);
FormatRegistry.Set("date-time", isInstant);

/** Whether there is such a time, from 1900 to 2199 in UTC too, written so. */
export function isInstant(value: string): boolean {
  const ms = isTime(value) ? Date.parse(value.toUpperCase()) : Number.NaN;
  return ms >= FIRST_MS && ms < END_MS;
}

/** Whether `value` has the form of an instant and its day exists, in any year. */
export function isTime(value: string): boolean {
  const day = INSTANT.exec(value)?.[1];
  return day !== undefined && isDay(day);
}

function isDay(value: string): boolean {
  const parts = /^(\d{4})-(\d{2})-(\d{2})$/.exec(value);
  if (!parts) return false;
  const [year, month, day] = parts.slice(1).map(Number) as [number, number, number];
  return (
    month >= 1 && month <= 12 && day >= 1 && day <= new Date(Date.UTC(year, month, 0)).getUTCDate()
  );
}

FormatRegistry.Set("time-zone", isTimeZone);

/**
 * Names that ICU still knows and PostgreSQL does not: they would fail every statement about days.
 */
const UNKNOWN_TO_POSTGRES = new Set(["us/pacific-new", "canada/east-saskatchewan"]);

/**
 * Whether `value` is a name of the IANA database that both the runtime and PostgreSQL know; offsets
 * are refused.
 */
function isTimeZone(value: string): boolean {
  if (!/^[A-Za-z][A-Za-z0-9_+-]*(?:\/[A-Za-z0-9_+-]+)*$/.test(value)) return false;
  if (UNKNOWN_TO_POSTGRES.has(value.toLowerCase())) return false;
  try {
    return new Intl.DateTimeFormat("en", { timeZone: value }).resolvedOptions().timeZone !== "";
  } catch {
    return false;
  }
}
