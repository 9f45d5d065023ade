/** What can go wrong, said without HTTP; `http/problems.ts` gives each kind its status. */
export type ErrorKind =
  | "malformed"
  | "unauthenticated"
  | "forbidden"
  | "not_found"
  | "conflict"
  | "stale"
  | "invalid"
  | "throttled"
  | "unavailable";

/** One fault of an input. `field` is a JSON pointer; the value itself is never repeated. */
export type FieldError = { field: string; code: string; message: string };

type Details = { errors?: FieldError[]; retryAfterS?: number; cause?: unknown };

/** An expected failure: `kind` for the caller, `reason` (stable, `<domain>.<what>`) for programs, `message` for people. */
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

/** A failure that the operator can mend, shown as one line without a stack trace. `exitCode` 2 means wrong usage. */
export class OperatorError extends Error {
  readonly exitCode: number;

  constructor(message: string, exitCode = 1) {
    super(message);
    this.name = "OperatorError";
    this.exitCode = exitCode;
  }
}
