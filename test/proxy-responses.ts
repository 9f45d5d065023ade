import { expect } from "bun:test";
import { faultsOf } from "#src/http/shapes.ts";
import { Problem } from "#src/operations/openapi.ts";
import { type RawAnswer, valuesOf } from "./raw-http.ts";

/** The headers of every response, of the application or the edge; `/docs` has its own policy. */
export const COMMON_HEADERS = {
  "content-security-policy":
    "default-src 'none'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'; object-src 'none'",
  "x-content-type-options": "nosniff",
  "referrer-policy": "no-referrer",
  "cross-origin-resource-policy": "same-origin",
  "strict-transport-security": "max-age=31536000; includeSubDomains",
};

/** Fails unless the response has every common header exactly once, some with another value. */
export function expectCommonHeadersOnce(
  answer: RawAnswer,
  replaced: Record<string, string> = {},
): void {
  for (const [name, value] of Object.entries({ ...COMMON_HEADERS, ...replaced }))
    expect([name, ...valuesOf(answer, name)]).toEqual([name, value]);
  for (const name of ["x-request-id", "cache-control", "date"])
    expect(valuesOf(answer, name)).toHaveLength(1);
  for (const name of ["x-powered-by", "x-xss-protection"])
    expect(valuesOf(answer, name)).toEqual([]);
  if (answer.status === 405) expect(valuesOf(answer, "allow")).toHaveLength(1);
  if (answer.status === 429 || answer.status === 503)
    expect(valuesOf(answer, "retry-after")).toHaveLength(1);
}

/** Fails unless the response is that problem, with the request id of its header. */
export function expectEdgeProblem(answer: RawAnswer, status: number, code: string): void {
  expect([answer.status, valuesOf(answer, "content-type")]).toEqual([
    status,
    ["application/problem+json"],
  ]);
  const problem = JSON.parse(answer.body);
  expect(faultsOf(Problem, problem)).toEqual([]);
  expect([problem.status, problem.code]).toEqual([status, code]);
  expect(valuesOf(answer, "x-request-id")).toEqual([problem.requestId]);
}
