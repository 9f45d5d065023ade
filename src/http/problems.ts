import { isDatabaseUnavailable, refusalOf } from "#db/errors.ts";
import { AppError, type ErrorKind, type FieldError } from "#lib/errors.ts";
import { answerToBroken } from "./constraint-errors.ts";
import type { Reply } from "./reply.ts";

/** An RFC 9457 problem, before it has a request id. */
export type Problem = {
  status: number;
  code: string;
  detail: string;
  errors?: FieldError[];
  headers?: Record<string, string>;
};

const STATUS: Record<ErrorKind, number> = {
  malformed: 400,
  unauthenticated: 401,
  forbidden: 403,
  not_found: 404,
  conflict: 409,
  gone: 410,
  stale: 412,
  invalid: 422,
  throttled: 429,
  unavailable: 503,
};

const TITLE: Record<number, string> = {
  400: "Bad Request",
  401: "Unauthorized",
  403: "Forbidden",
  404: "Not Found",
  405: "Method Not Allowed",
  409: "Conflict",
  410: "Gone",
  412: "Precondition Failed",
  413: "Content Too Large",
  414: "URI Too Long",
  415: "Unsupported Media Type",
  422: "Unprocessable Content",
  429: "Too Many Requests",
  499: "Client Closed Request",
  500: "Internal Server Error",
  503: "Service Unavailable",
};

/** The longest `detail`; longer lists belong in `errors`. */
export const MAX_DETAIL_LENGTH = 500;

/** A failure that only HTTP knows (405, 413, 414, 415): thrown inside `http/` and nowhere else. */
export class HttpProblem extends Error {
  readonly problem: Problem;
  constructor(problem: Problem) {
    super(problem.detail);
    this.problem = problem;
  }
}

/**
 * The problem for `error`. Unexpected errors become a 500 that does not reveal the cause.
 */
export function problemOf(error: unknown): Problem {
  if (error instanceof HttpProblem) return error.problem;
  const expected = error instanceof AppError ? error : answerToBroken(error)?.answer;
  if (expected) {
    const status = STATUS[expected.kind];
    const headers: Record<string, string> = {};
    if (status === 401) headers["www-authenticate"] = "Cookie";
    if (expected.retryAfterS !== undefined) headers["retry-after"] = String(expected.retryAfterS);
    return {
      status,
      code: expected.reason,
      detail: expected.message,
      ...(expected.errors ? { errors: expected.errors } : {}),
      headers,
    };
  }
  const refusal = refusalOf(error);
  if (refusal === "CLIENT_GONE")
    return { status: 499, code: "client_gone", detail: "The client closed the connection" };
  if (refusal === "OVERLOADED") {
    return {
      status: 503,
      code: "overloaded",
      detail: "Too much is under way; please try again",
      headers: { "retry-after": "1" },
    };
  }
  if (isDatabaseUnavailable(error)) {
    return {
      status: 503,
      code: "database_unavailable",
      detail: "The database cannot be reached; please try again",
      headers: { "retry-after": "1" },
    };
  }
  return { status: 500, code: "internal", detail: "Something went wrong on our side" };
}

/**
 * True for an error that is the server's fault although the client gets a 4xx: it must be logged.
 */
export const isFaultOfOurs = (error: unknown): boolean =>
  !(error instanceof AppError) && answerToBroken(error)?.isListed === false;

/** The problem as an answer, carrying the request id by which its log lines are found. */
export function problemReply(problem: Problem, requestId: string): Reply {
  const body: Record<string, unknown> = {
    type: `urn:irontrack:problem:${problem.code}`,
    title: TITLE[problem.status] ?? "Error",
    status: problem.status,
    detail: problem.detail.slice(0, MAX_DETAIL_LENGTH).toWellFormed(),
    code: problem.code,
    requestId,
  };
  if (problem.errors) body.errors = problem.errors;
  return {
    status: problem.status,
    body: JSON.stringify(body),
    headers: {
      "content-type": "application/problem+json",
      "cache-control": "no-store",
      ...problem.headers,
    },
  };
}
