import { type TObject, type TSchema, Type } from "@sinclair/typebox";
import { type TypeCheck, TypeCompiler } from "@sinclair/typebox/compiler";
import { type ValueError, ValueErrorType } from "@sinclair/typebox/errors";
import type { FieldError } from "#lib/errors.ts";
import { hasAtMost, normaliseText } from "./formats.ts";

/** One of some words. */
export const choice = <const Words extends string[]>(
  words: Words,
  options: { description?: string; default?: Words[number] } = {},
) =>
  Type.Union(
    words.map((word) => Type.Literal(word)),
    options,
  ) as unknown as ReturnType<typeof Type.Unsafe<Words[number]>>;

export const Uuid = Type.String({
  format: "uuid",
  minLength: 36,
  maxLength: 36,
  normalise: "uuid",
});
/** The id of a catalog row: a smallint identity. */
export const SmallId = Type.Integer({ minimum: 1, maximum: 32_767 });
export const Email = Type.String({
  format: "idn-email",
  maxLength: 254,
  normalise: "email",
  description: "Any letters before the @, the domain in ASCII",
});
/** The name of a thing. */
export const Title = Type.String({
  minLength: 1,
  maxLength: 100,
  format: "title",
  normalise: "name",
});
export const nullable = <Schema extends TSchema>(schema: Schema) =>
  Type.Union([schema, Type.Null()]);
export const Day = Type.String({
  format: "date",
  maxLength: 10,
  description: "From 1900 to 2199, e.g. 2026-01-31",
});
export const AwareInstant = Type.String({
  maxLength: 35,
  format: "date-time",
  description: "From 1900 to 2199, with an offset of at most 15:59, e.g. 2026-01-31T00:00:00Z",
});
/** RFC 3339 in UTC with microseconds. */
export const Instant = Type.String({
  maxLength: 32,
  pattern: "^\\d{4}-\\d{2}-\\d{2}T\\d{2}:\\d{2}:\\d{2}(\\.\\d{1,6})?Z$",
});

/** An object that refuses fields it does not know. */
export const strict = <Properties extends Record<string, TSchema>>(
  properties: Properties,
  options = {},
) => Type.Object(properties, { additionalProperties: false, ...options });

const compiled = new WeakMap<TSchema, TypeCheck<TSchema>>();

function checkerOf(schema: TSchema): TypeCheck<TSchema> {
  let checker = compiled.get(schema);
  if (!checker) {
    checker = TypeCompiler.Compile(schema);
    compiled.set(schema, checker);
  }
  return checker;
}

export const MAX_FAULTS = 100;
export const MAX_FIELD_LENGTH = 200;

/**
 * The faults of `value`, the first for each field, at most 100; empty when it fits. Values are
 * never repeated.
 */
export function faultsOf(schema: TSchema, value: unknown): FieldError[] {
  const checker = checkerOf(schema);
  if (checker.Check(value)) return [];
  const faults = new Map<string, FieldError>();
  for (const error of checker.Errors(value)) {
    const fault = readFault(error);
    if (isOfUnitsOnly(fault)) continue;
    const field = fault.path === "" ? "/" : fault.path.slice(0, MAX_FIELD_LENGTH);
    if (!faults.has(field)) faults.set(field, { field, ...explain(fault) });
    if (faults.size === MAX_FAULTS) break;
  }
  return [...faults.values()];
}

/** An error of TypeBox with those of each member of a union, which TypeBox gives only once. */
type Fault = Pick<ValueError, "type" | "schema" | "value" | "path"> & { ofMembers: Fault[][] };

/** How many errors of a member of a union are read. */
const MAX_MEMBER_FAULTS = 20;

function readFault({ type, schema, value, path, errors }: ValueError): Fault {
  return { type, schema, value, path, ofMembers: errors.map((ofMember) => readMember(ofMember)) };
}

function readMember(errors: Iterable<ValueError>): Fault[] {
  const faults: Fault[] = [];
  for (const error of errors) {
    faults.push(readFault(error));
    if (faults.length === MAX_MEMBER_FAULTS) break;
  }
  return faults;
}

/**
 * Whether a text is too long only when its UTF-16 units are counted, as TypeBox does, and not its
 * characters; of a union, whether that is all that is wrong with one member.
 */
function isOfUnitsOnly({ type, schema, value, ofMembers }: Fault): boolean {
  if (type === ValueErrorType.Union)
    return ofMembers.some((ofMember) => ofMember.every(isOfUnitsOnly));
  return type === ValueErrorType.StringMaxLength && hasAtMost(value as string, schema.maxLength);
}

/** Brings every text of `value` into the form that its schema asks for, in place where it can. */
export function normalise(schema: TSchema, value: unknown): unknown {
  if (schema.anyOf) {
    const member = (schema.anyOf as TSchema[]).find(
      (option) => option.type === "string" || option.type === "object",
    );
    return member ? normalise(member, value) : value;
  }
  if (typeof value === "string") return normaliseText(schema.normalise, value);
  if (Array.isArray(value))
    return schema.items ? value.map((entry) => normalise(schema.items, entry)) : value;
  if (typeof value === "object" && value !== null && schema.properties) {
    const record = value as Record<string, unknown>;
    for (const [name, property] of Object.entries((schema as TObject).properties)) {
      if (Object.hasOwn(record, name)) record[name] = normalise(property, record[name]);
    }
  }
  return value;
}

function explain({ type, schema, ofMembers }: Fault): { code: string; message: string } {
  // A fault of a nullable value is that of its non-null type.
  const inner = type === ValueErrorType.Union && isNullable(schema) ? ofMembers[0]?.[0] : undefined;
  if (inner) return explain(inner);
  switch (type) {
    case ValueErrorType.ObjectRequiredProperty:
      return { code: "required", message: "This field is required" };
    case ValueErrorType.ObjectAdditionalProperties:
      return { code: "unknown", message: "This field is not known" };
    case ValueErrorType.StringMinLength:
      return { code: "too_short", message: `Must have at least ${schema.minLength} characters` };
    case ValueErrorType.StringMaxLength:
      return { code: "too_long", message: `Must have at most ${schema.maxLength} characters` };
    case ValueErrorType.ArrayMinItems:
      return { code: "too_few", message: `Must have at least ${schema.minItems} entries` };
    case ValueErrorType.ArrayMaxItems:
      return { code: "too_many", message: `Must have at most ${schema.maxItems} entries` };
    case ValueErrorType.ArrayUniqueItems:
      return { code: "repeated", message: "Must not repeat an entry" };
    case ValueErrorType.StringFormat:
    case ValueErrorType.StringPattern:
      return {
        code: "format",
        message: `Must be ${schema.format ? `a valid ${schema.format.replace("idn-", "")}` : "in the documented form"}`,
      };
    case ValueErrorType.IntegerMinimum:
    case ValueErrorType.IntegerMaximum:
    case ValueErrorType.NumberMinimum:
    case ValueErrorType.NumberMaximum:
      return { code: "range", message: `Must be from ${schema.minimum} to ${schema.maximum}` };
    default:
      return explainType(schema);
  }
}

const isNullable = (schema: TSchema) =>
  (schema.anyOf as TSchema[] | undefined)?.at(-1)?.type === "null";

function explainType(schema: TSchema): { code: string; message: string } {
  const options = (schema.anyOf ?? []) as TSchema[];
  const words = options.map((option) => option.const).filter((word) => word !== undefined);
  if (words.length > 0) return { code: "choice", message: `Must be one of: ${words.join(", ")}` };
  const type = schema.type ?? options.find((option) => option.type !== "null")?.type;
  const article = type === "integer" || type === "object" || type === "array" ? "an" : "a";
  return {
    code: "type",
    message: `Must be ${type === "integer" ? "a whole number" : `${article} ${type}`}`,
  };
}
