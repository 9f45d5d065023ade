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
 * Path, query and body as `shapes` describe them. Throws `invalid` (`invalid_request`) with the
 * faults of all three.
 */
export function checkInputs(
  shapes: InputShapes,
  request: Request,
  params: Record<string, string>,
  body: unknown,
) {
  // Even asking a request for its URL costs as much as all the rest of an operation that takes
  // nothing.
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

/**
 * Queries that passed, by schema and by their text: the same text always makes the same query.
 * Nobody changes them.
 */
const passed = new WeakMap<TObject, BoundedMap<string, Inputs>>();
const MAX_CACHED_QUERIES = 1000;
const MAX_CACHED_URL_LENGTH = 256;

function checkQuery(schema: TObject, url: string): Inputs {
  const known = passed.get(schema) ?? createBoundedMap<string, Inputs>(MAX_CACHED_QUERIES);
  passed.set(schema, known);
  const answerFromCache = known.get(url);
  if (answerFromCache) return answerFromCache;
  const faults: FieldError[] = [];
  const query = examine(schema, readQuery(url, schema, faults), faults) as Record<string, unknown>;
  if (faults.length > 0) throw invalidRequest(faults);
  const inputs = { params: NOTHING, query: Object.freeze(query), body: undefined };
  if (url.length <= MAX_CACHED_URL_LENGTH) known.set(url, inputs);
  return inputs;
}

/**
 * Throws `invalid` (`invalid_request`) with every fault, or returns the value in its normal form.
 */
export function checkInput<T>(schema: TSchema, given: unknown): T {
  const faults: FieldError[] = [];
  const value = examine(schema, given, faults);
  if (faults.length > 0) throw invalidRequest(faults);
  return value as T;
}

/** The value in its normal form; its faults are added to `faults`. */
function examine(schema: TSchema, given: unknown, faults: FieldError[]): unknown {
  const found = findBadText(given, "");
  const value = normalise(schema, given);
  found.push(...faultsOf(schema, value));
  // Faults in these fields are left to the handler, which checks each part by itself, so that one
  // does not refuse the rest.
  const later = schema.checkedLater as RegExp | undefined;
  faults.push(...(later ? found.filter(({ field }) => !later.test(field)) : found));
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
 * The query string of `url` as the object that `schema` describes: whole numbers, booleans (`true`,
 * `false`, `1`, `0`) and arrays (repeated keys) where it says so. A repeated scalar that it knows
 * and an undecodable escape are added to `faults`.
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

/** Path parameters in the form that `schema` describes: whole numbers where it says so. */
function readParams(params: Record<string, string>, schema: TObject): Record<string, unknown> {
  const read: Record<string, unknown> = {};
  for (const [name, property] of Object.entries(schema.properties))
    read[name] = coerce(property, params[name] ?? "");
  return read;
}

/** Whether a path's parameters, still percent-encoded, fit `schema`. */
export function areParams(schema: TObject, encoded: Record<string, string>): boolean {
  const params = Object.fromEntries(
    Object.entries(encoded).map(([name, text]) => [name, decode(text) ?? text]),
  );
  const faults: FieldError[] = [];
  examine(schema, readParams(params, schema), faults);
  return faults.length === 0;
}

/**
 * A text as the number or boolean that the schema wants; left as it is when it is neither, for the
 * check to refuse.
 */
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

/** Texts that PostgreSQL or UTF-8 cannot hold: NUL and lone surrogates. Refused, never repaired. */
export function findBadText(value: unknown, path: string, faults: FieldError[] = []): FieldError[] {
  if (typeof value === "string" && !isStorable(value)) faults.push(badText(path || "/"));
  if (typeof value !== "object" || value === null) return faults;
  // Half a million numbers are a body of a mebibyte: not even their places are named.
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
