/** Kinds of expected failures, independent of HTTP; `http/problems.ts` maps them to a status. */
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

/** An invalid field of an input. `field` is a JSON pointer. Never contains the value itself. */
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
export type InputId = { field: string; id: string | number | null | undefined };

const MAX_LISTED = 10;
const MAX_ERRORS = 100;

/** The first ten ids as text, and the number of the others. */
export function listOfIds(ids: (string | number)[]): string {
  const more = ids.length > MAX_LISTED ? ` and ${ids.length - MAX_LISTED} more` : "";
  return `[${ids.slice(0, MAX_LISTED).join(", ")}]${more}`;
}

/** A not_found error that lists at most 100 fields of the input whose id is in `missing`. */
export function idsNotFound(
  reason: string,
  message: string,
  missing: (string | number)[],
  inputIds: Iterable<InputId>,
): AppError {
  const missingIds = new Set<unknown>(missing);
  const errors: FieldError[] = [];
  for (const { field, id } of inputIds) {
    if (missingIds.has(id) && errors.length < MAX_ERRORS)
      errors.push({ field, code: "not_found", message: `There is no ${id}` });
  }
  return new AppError("not_found", reason, message, { errors });
}

/**
 * A failure that the operator can correct, printed as one line without a stack trace. `exitCode` 2
 * means wrong usage.
 */
export class OperatorError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1, cause?: unknown) {
    super(message, { cause });
    this.name = "OperatorError";
    this.exitCode = exitCode;
  }
}
