/** What can go wrong, said without HTTP; `http/problems.ts` gives each kind its status. */
export type ErrorKind =
  | "malformed"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "stale"
  | "gone"
  | "invalid"
  | "throttled"
  | "unavailable";

/** One fault of an input. `field` is a JSON pointer; the value itself is never repeated. */
export type FieldError = { field: string; code: string; message: string };

type Details = { errors?: FieldError[]; retryAfterS?: number; cause?: unknown };

/**
 * An expected failure: `kind` for the caller, `reason` (stable, `<domain>.<what>`) for programs,
 * `message` for people.
 */
export class AppError extends Error {
  readonly kind: ErrorKind;
  readonly reason: string;
  readonly errors: FieldError[] | undefined;
  readonly retryAfterS: number | undefined;

  constructor(kind: ErrorKind, reason: string, message: string, details: Details = {}) {
    super(message, { cause: details.cause });
    this.name = "AppError";
    this.kind = kind;
    this.reason = reason;
    this.errors = details.errors;
    this.retryAfterS = details.retryAfterS;
  }
}

/** An id in the input, and the JSON pointer to its field. */
export type GivenId = { field: string; id: string | number | null | undefined };

const MAX_NAMED = 10;
const MAX_ERRORS = 100;

/** Ids as text, in their order: the first ten, and how many more there are. */
export function listOfIds(ids: (string | number)[]): string {
  const more = ids.length > MAX_NAMED ? ` and ${ids.length - MAX_NAMED} more` : "";
  return `[${ids.slice(0, MAX_NAMED).join(", ")}]${more}`;
}

/**
 * A not_found whose `errors` list the fields of `given` whose id is among `missing`, at most 100.
 */
export function idsNotFound(
  reason: string,
  message: string,
  missing: (string | number)[],
  given: Iterable<GivenId>,
): AppError {
  const gone = new Set<unknown>(missing);
  const errors: FieldError[] = [];
  for (const { field, id } of given) {
    if (gone.has(id) && errors.length < MAX_ERRORS)
      errors.push({ field, code: "not_found", message: `There is no ${id}` });
  }
  return new AppError("not_found", reason, message, { errors });
}

/**
 * A failure that the operator can mend, shown as one line without a stack trace. `exitCode` 2 means
 * wrong usage.
 */
export class OperatorError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, { cause });
    this.name = "OperatorError";
    this.exitCode = exitCode;
  }
}
