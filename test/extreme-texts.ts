import type { TSchema } from "@sinclair/typebox";
import fc from "fast-check";
import { PASSWORD } from "./fixtures.ts";

/** Ids, addresses and names that exist in the database. */
export type ExistingValues = {
  ids: string[];
  /** Ids by field name. */
  idsOf: Record<string, string[]>;
  emails: string[];
  names: string[];
  cursors: string[];
};

const INSTANTS = [
  "1900-01-01T00:00:00Z",
  "2199-12-31T23:59:59.999999Z",
  "2026-01-01T00:00:00+15:59",
  "2026-01-01T00:00:00-15:59",
  "2024-02-29T23:59:59.5Z",
  "2026-03-29T02:30:00+01:00",
  "2026-03-01t10:00:00z",
  "2026-03-08T10:00:00Z",
];
const ZONES = [
  ...Intl.supportedValuesOf("timeZone"),
  "EST5EDT",
  "NZ-CHAT",
  "W-SU",
  "GMT0",
  "utc",
  "Etc/GMT-14",
];
const LETTERS = [
  "a",
  "😀",
  "\u0390",
  "İ",
  "ﬃ",
  "\ufb2c",
  "字",
  "ß",
  "é",
  "%",
  "_",
  "\\",
  "'",
  '"',
  "1",
  "क",
  " ",
];

/** Texts that are almost valid in a format. A lax check accepts some that PostgreSQL rejects. */
const INVALID: Record<string, string[]> = {
  date: [
    "2026-02-30",
    "2026-02-29",
    "2026-13-01",
    "0000-01-01",
    "1899-12-31",
    "2200-01-01",
    "10000-01-01",
    "infinity",
    "today",
  ],
  "date-time": [
    "2026-02-30T00:00:00Z",
    "2026-01-01T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-01T00:00:00+16:00",
    "infinity",
    "2026-01-01T00:00:00-99:99",
    "0000-01-01T00:00:00Z",
    "294277-01-01T00:00:00Z",
    "2026-01-01T25:61:61Z",
    "now",
    "epoch",
  ],
  "time-zone": [
    "Mars/Olympus",
    "+16:00",
    "FOO5BAR",
    "US/Pacific-New",
    "Factory",
    "localtime",
    "posix/UTC",
    "Europe/Berlin ",
    "",
  ],
  "idn-email": [
    "a\u200bb@example.com",
    "u\u0308@example.com",
    "a@b",
    `${"a".repeat(65)}@example.com`,
    "a\u0000@example.com",
  ],
  title: [
    "\u001b[31m",
    "a\u0000b",
    "\ud800",
    "\u202eabc",
    " ",
    "\u200b",
    "a\u200bb",
    "\u{1f468}\u200d",
  ],
  uuid: ["00000000-0000-0000-0000-00000000000g", "{01a209f2-f7f5-7524-94bc-8035f4f8979b}", "0", ""],
};
INVALID.name = INVALID.title as string[];

/** Texts that match `schema`, most of them at its limits, and a few that are almost valid. */
export function texts(
  schema: TSchema,
  existing: ExistingValues,
  name: string,
): fc.Arbitrary<string> {
  const invalid = INVALID[schema.format];
  const fits = fittingTexts(schema, existing, name);
  if (!invalid) return fits;
  return fc.oneof(
    { weight: 12, arbitrary: fits },
    { weight: 1, arbitrary: fc.constantFrom(...invalid) },
  );
}

function fittingTexts(
  schema: TSchema,
  existing: ExistingValues,
  name: string,
): fc.Arbitrary<string> {
  const { format, pattern, minLength = 0, maxLength = 1000 } = schema;
  if (format === "uuid") {
    const fresh = fc.constant(null).map(() => crypto.randomUUID());
    const fitting = existing.idsOf[name];
    return fc.oneof(
      { weight: 8, arbitrary: fitting ? fc.constantFrom(...fitting) : fresh },
      { weight: 1, arbitrary: fc.constantFrom(...existing.ids) },
      { weight: 1, arbitrary: fc.uuid().map((id) => id.toUpperCase()) },
    );
  }
  if (format === "date") {
    const days = fc.date({
      min: new Date("1900-01-01"),
      max: new Date("2199-12-31"),
      noInvalidDate: true,
    });
    return fc.oneof(
      fc.constantFrom("1900-01-01", "2199-12-31", "2024-02-29", "2026-01-31"),
      days.map((day) => day.toISOString().slice(0, 10)),
    );
  }
  if (format === "date-time") {
    const isExact = pattern !== undefined;
    return fc
      .constantFrom(...INSTANTS)
      .map((time) => (isExact ? time.replace(/[Tt](.{8}).*$/, "T$1.000001Z") : time));
  }
  if (format === "time-zone") return fc.constantFrom(...ZONES);
  if (format === "idn-email" || schema.normalise === "email") {
    const longest = `${"a".repeat(64)}@${"b".repeat(63)}.${"c".repeat(63)}.${"d".repeat(57)}.ee`;
    return fc.constantFrom(
      ...existing.emails,
      longest,
      "ü@example.com",
      "ς@example.com",
      "ǆ@example.com",
      "字@x.yz",
      "İ@a.bc",
    );
  }
  if (/password$/i.test(name))
    return fc.constantFrom(
      PASSWORD,
      PASSWORD,
      "ﬃ".repeat(maxLength),
      "😀".repeat(8),
      " \t ".repeat(9),
    );
  if (name === "cursor") return fc.constantFrom(...existing.cursors);
  if (pattern) return fc.stringMatching(new RegExp(pattern), { maxLength });
  const letters = fc.constantFrom(...LETTERS);
  const long = letters.map((letter) =>
    letter.repeat(Math.max(1, Math.floor(maxLength / letter.length))),
  );
  const short = fc
    .array(letters, { minLength, maxLength: Math.max(minLength, 8) })
    .map((parts) => parts.join(""));
  const free =
    format === "title" || format === "name"
      ? short
      : fc.string({ unit: "binary", minLength, maxLength });
  const storable = free.map((text) =>
    text.toWellFormed().replaceAll("\0", "\t").slice(0, maxLength).toWellFormed(),
  );
  return fc.oneof(long, short, storable, fc.constantFrom(...existing.names));
}
