import type { TObject, TSchema } from "@sinclair/typebox";
import { type BoundedMap, createBoundedMap } from "#lib/bounded-map.ts";
import { AppError, type FieldError } from "#lib/errors.ts";
import { HttpProblem } from "./problems.ts";
import { faultsOf, MAX_FAULTS, MAX_FIELD_LENGTH, normalise } from "./shapes.ts";

const MAX_QUERY_LENGTH = 8192;

export type InputShapes = {
  params?: TObject | undefined;
  query?: TObject | undefined;
  body?: TSchema | undefined;
};

const NOTHING: Record<string, never> = Object.freeze({});
const NO_INPUTS = Object.freeze({ params: NOTHING, query: NOTHING, body: undefined });

/**
 * Validates path, query and body against `shapes`, and returns them normalised. Throws `invalid`
 * (`invalid_request`) with the faults of all three.
 */
export function checkInputs(
  shapes: InputShapes,
  request: Request,
  params: Record<string, string>,
  body: unknown,
) {
  // Reading a request's URL costs as much as the rest of an operation without inputs.
  if (!shapes.params && !shapes.query && !shapes.body) return NO_INPUTS;
  if (shapes.query && !shapes.params && !shapes.body) return checkQuery(shapes.query, request.url);
  const faults: FieldError[] = [];
  const checked = {
    params: shapes.params
      ? examine(shapes.params, readParams(params, shapes.params), faults)
      : NOTHING,
    query: shapes.query
      ? examine(shapes.query, readQuery(request.url, shapes.query, faults), faults)
      : NOTHING,
    body: shapes.body ? examine(shapes.body, body, faults) : undefined,
  };
  if (faults.length > 0) throw invalidRequest(faults);
  return checked;
}

type Inputs = { params: typeof NOTHING; query: Record<string, unknown>; body: undefined };

/** Valid queries, frozen, by schema and URL. */
const validQueries = new WeakMap<TObject, BoundedMap<string, Inputs>>();
const MAX_CACHED_QUERIES = 1000;
const MAX_CACHED_URL_LENGTH = 256;

function checkQuery(schema: TObject, url: string): Inputs {
  const cache = validQueries.get(schema) ?? createBoundedMap<string, Inputs>(MAX_CACHED_QUERIES);
  validQueries.set(schema, cache);
  const cached = cache.get(url);
  if (cached) return cached;
  const faults: FieldError[] = [];
  const query = examine(schema, readQuery(url, schema, faults), faults) as Record<string, unknown>;
  if (faults.length > 0) throw invalidRequest(faults);
  const inputs = { params: NOTHING, query: Object.freeze(query), body: undefined };
  if (url.length <= MAX_CACHED_URL_LENGTH) cache.set(url, inputs);
  return inputs;
}

/** The normalised value. Throws `invalid` (`invalid_request`) with every fault. */
export function checkInput<T>(schema: TSchema, given: unknown): T {
  const faults: FieldError[] = [];
  const value = examine(schema, given, faults);
  if (faults.length > 0) throw invalidRequest(faults);
  return value as T;
}

/** The normalised value; appends its faults to `faults`. */
function examine(schema: TSchema, given: unknown, faults: FieldError[]): unknown {
  const all = findBadText(given, "");
  const value = normalise(schema, given);
  all.push(...faultsOf(schema, value));
  // The handler validates the parts of these fields one by one, so that an invalid part does not
  // reject the others.
  const later = schema.checkedLater as RegExp | undefined;
  faults.push(...(later ? all.filter(({ field }) => !later.test(field)) : all));
  return value;
}

/** The first fault of each field, at most 100. */
export function invalidRequest(faults: FieldError[]): AppError {
  const errors = new Map<string, FieldError>();
  for (const fault of faults) {
    const field = fault.field.slice(0, MAX_FIELD_LENGTH).toWellFormed();
    if (!errors.has(field) && errors.size < MAX_FAULTS) errors.set(field, { ...fault, field });
  }
  return new AppError(
    "invalid",
    "invalid_request",
    "The request does not fit what this operation takes",
    {
      errors: [...errors.values()],
    },
  );
}

/**
 * Parses the query string of `url` into integers, booleans (`true`, `false`, `1`, `0`), arrays
 * (repeated keys) and strings, by `schema`. Appends repeated scalars and invalid escapes to
 * `faults`.
 */
function readQuery(url: string, schema: TObject, faults: FieldError[]): Record<string, unknown> {
  const start = url.indexOf("?");
  const query: Record<string, unknown> = Object.create(null);
  if (start < 0) return query;
  const text = url.slice(start + 1);
  if (text.length > MAX_QUERY_LENGTH) {
    throw new HttpProblem({
      status: 414,
      code: "uri_too_long",
      detail: `The query string is longer than ${MAX_QUERY_LENGTH} characters`,
    });
  }
  for (const pair of text.split("&")) {
    const fault = pair === "" ? undefined : readPair(pair, schema, query);
    if (fault) faults.push(fault);
  }
  return query;
}

function readPair(
  pair: string,
  schema: TObject,
  query: Record<string, unknown>,
): FieldError | undefined {
  const at = pair.indexOf("=");
  const name = decode(at < 0 ? pair : pair.slice(0, at));
  const value = decode(at < 0 ? "" : pair.slice(at + 1));
  if (name === undefined || value === undefined) {
    return { field: pointer(name ?? ""), code: "format", message: "Must be percent-encoded UTF-8" };
  }
  const property = Object.hasOwn(schema.properties, name) ? schema.properties[name] : undefined;
  if (property?.type === "array") {
    query[name] ??= [];
    (query[name] as unknown[]).push(coerce(property.items, value));
    return undefined;
  }
  // An unknown name is reported when the whole query is checked.
  if (property && name in query)
    return { field: pointer(name), code: "repeated", message: "Must be given once" };
  query[name] = coerce(property, value);
  return undefined;
}

/** A name as a JSON pointer (RFC 6901). */
export const pointer = (name: string) => `/${name.replaceAll("~", "~0").replaceAll("/", "~1")}`;

/** Path parameters, integers where `schema` has them. */
function readParams(params: Record<string, string>, schema: TObject): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties))
    read[name] = coerce(property, params[name] ?? "");
  return read;
}

/** Whether percent-encoded path parameters are valid for `schema`. */
export function areParams(schema: TObject, encoded: Record<string, string>): boolean {
  const params = Object.fromEntries(
    Object.entries(encoded).map(([name, text]) => [name, decode(text) ?? text]),
  );
  const faults: FieldError[] = [];
  examine(schema, readParams(params, schema), faults);
  return faults.length === 0;
}

/** A string as the integer or boolean of the schema; unchanged if it is neither, so it is refused. */
function coerce(schema: TSchema | undefined, text: string): unknown {
  if (schema?.type === "integer") return /^-?\d{1,15}$/.test(text) ? Number(text) : text;
  if (schema?.type === "boolean") {
    if (text === "true" || text === "1") return true;
    if (text === "false" || text === "0") return false;
  }
  return text;
}

function decode(text: string): string | undefined {
  const plain = text.includes("+") ? text.replaceAll("+", " ") : text;
  if (!plain.includes("%")) return plain;
  try {
    return decodeURIComponent(plain);
  } catch {
    return undefined;
  }
}

/** Faults for strings that PostgreSQL cannot store: those with NUL or lone surrogates. */
export function findBadText(value: unknown, path: string, faults: FieldError[] = []): FieldError[] {
  if (typeof value === "string" && !isStorable(value)) faults.push(badText(path || "/"));
  if (typeof value !== "object" || value === null) return faults;
  // A body may hold half a million numbers, so arrays without strings are skipped.
  if (Array.isArray(value) && !value.some(mayHoldText)) return faults;
  for (const [name, inner] of Object.entries(value)) {
    if (faults.length >= MAX_FAULTS) break;
    if (!isStorable(name)) faults.push(badText(path || "/"));
    else if (mayHoldText(inner)) findBadText(inner, `${path}${pointer(name)}`, faults);
  }
  return faults;
}

const mayHoldText = (value: unknown) => typeof value === "string" || typeof value === "object";

const isStorable = (text: string) => text.isWellFormed() && !text.includes("\0");
const badText = (field: string): FieldError => ({
  field,
  code: "text",
  message: "Must be text without NUL or broken characters",
});
