import type { TObject, TSchema } from "@sinclair/typebox";
import fc from "fast-check";
import { type ExistingValues, texts } from "./extreme-texts.ts";

/** Texts that commonly break software. */
export const nastyText: fc.Arbitrary<string> = fc.oneof(
  fc.constantFrom(
    "\u0000",
    "a\u0000b",
    "\ud800",
    "\udc00x",
    "%",
    "_",
    "\\",
    "'",
    '"',
    "%zz",
    "__proto__",
    "constructor",
    "null",
    "[]",
    "{}",
    "-1",
    "1e400",
    "99999999999999999999",
    "\u202eabc",
    "a\u200bb",
    "\u00ad",
    "\u001b[31m",
    "\ufeffx",
    "ß",
    "İ",
    "2026-02-30",
    "2026-01-01T24:00:00Z",
    "2016-12-31T23:59:60Z",
    "2026-01-01T00:00:00+16:00",
    "infinity",
    "-infinity",
    "2026-01-01T00:00:00+99:99",
    "0000-01-01",
    "294277-01-01",
    "EST5EDT4",
    "Mars/Olympus",
    "NaN",
    "u\u0308@example.com",
  ),
  fc.string({ unit: "binary", maxLength: 300 }),
  fc.string({ unit: "grapheme", maxLength: 100 }),
  fc.nat({ max: 20_000 }).map((length) => "a".repeat(length)),
);

export const nastyValue: fc.Arbitrary<unknown> = fc.oneof(
  nastyText,
  fc.double(),
  fc.integer(),
  fc.constantFrom(null, true, [], {}, [[]], 0.5, -0, 1e308, 2 ** 31, 2 ** 53, 32_768),
  fc.jsonValue(),
);

/** Values that match `schema`, most of them at its limits. */
export function fitting(
  schema: TSchema,
  existing: ExistingValues,
  name = "",
): fc.Arbitrary<unknown> {
  if (schema.const !== undefined) return fc.constant(schema.const);
  if (schema.anyOf)
    return fc.oneof(
      ...(schema.anyOf as TSchema[]).map((option) => fitting(option, existing, name)),
    );
  switch (schema.type) {
    case "null":
      return fc.constant(null);
    case "boolean":
      return fc.boolean();
    case "integer":
    case "number":
      return schema.maximum === 32_767
        ? fc.oneof(
            { weight: 6, arbitrary: numbers({ ...schema, ...FIRST_IDS } as TSchema) },
            { weight: 1, arbitrary: numbers(schema) },
          )
        : numbers(schema);
    case "string":
      return texts(schema, existing, name);
    case "array":
      return lists(schema, existing, name);
    case "object":
      return objects(schema as TObject, existing);
    default:
      return nastyValue;
  }
}

/** Ids of existing entries of a catalog. */
const FIRST_IDS = { minimum: 1, maximum: 9 };

function numbers({ type, minimum, maximum, multipleOf }: TSchema): fc.Arbitrary<number> {
  const [min, max] = [minimum ?? -1e9, maximum ?? 1e9];
  const step = type === "integer" ? 1 : (multipleOf ?? 0);
  const edges = [min, max, min + (step || 0.001), max - (step || 0.0004), (min + max) / 2];
  const fit = (value: number) => {
    const stepped = step === 0 ? value : Math.round(value / step) * step;
    return Math.min(max, Math.max(min, stepped));
  };
  return fc.oneof(fc.constantFrom(...edges), fc.double({ min, max, noNaN: true })).map(fit);
}

/** The length of the longest list in a request. */
const MAX_ENTRIES = 500;

const withoutLists = (entry: unknown): unknown =>
  typeof entry === "object" && entry !== null && !Array.isArray(entry)
    ? Object.fromEntries(
        Object.entries(entry).map(([name, inner]) => [
          name,
          Array.isArray(inner) ? inner.slice(0, 1) : inner,
        ]),
      )
    : entry;

function lists(schema: TSchema, existing: ExistingValues, name: string): fc.Arbitrary<unknown[]> {
  const { items, minItems = 0, maxItems = 100, uniqueItems = false } = schema;
  const entry = fitting(items, existing, name);
  const short = fc.array(entry, { minLength: minItems, maxLength: Math.min(maxItems, 3) });
  const few = uniqueItems ? short.map((list) => [...new Set(list)]) : short;
  // The longest list of one entry (without nested lists), and the longest list of unknown ids.
  const length = Math.min(maxItems, MAX_ENTRIES);
  const same = entry.map((value) => Array(uniqueItems ? 1 : length).fill(withoutLists(value)));
  const unknown = fc.constant(null).map(() => Array.from({ length }, () => crypto.randomUUID()));
  return fc.oneof(
    { weight: 20, arbitrary: few },
    { weight: 1, arbitrary: same },
    { weight: items.format === "uuid" ? 2 : 0, arbitrary: unknown },
  );
}

function objects(schema: TObject, existing: ExistingValues): fc.Arbitrary<unknown> {
  const properties = Object.entries(schema.properties ?? {}).map(
    ([name, property]) => [name, fitting(property, existing, name)] as const,
  );
  return fc.record(Object.fromEntries(properties), {
    requiredKeys: (schema.required ?? []) as never[],
    noNullPrototype: true,
  });
}

/** Values in which one random part is replaced by a nasty value. */
export function broken(value: fc.Arbitrary<unknown>): fc.Arbitrary<unknown> {
  return fc.tuple(value, fc.nat(), nastyValue).map(([original, index, nasty]) => {
    const paths = pathsOf(original);
    return replaced(original, paths[index % paths.length] as string[], nasty);
  });
}

function pathsOf(value: unknown, path: string[] = []): string[][] {
  if (typeof value !== "object" || value === null || path.length > 6) return [path];
  const inner = Object.entries(value).slice(0, 30);
  return [
    path,
    [...path, "surprise"],
    ...inner.flatMap(([name, part]) => pathsOf(part, [...path, name])),
  ];
}

function replaced(value: unknown, [name, ...rest]: string[], replacement: unknown): unknown {
  if (name === undefined) return replacement;
  const copy = Array.isArray(value) ? [...value] : { ...(value as object) };
  Reflect.set(copy, name, replaced(Reflect.get(copy, name), rest, replacement));
  return copy;
}
