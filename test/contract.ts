import { expect } from "bun:test";
import { faultsOf } from "#src/http/shapes.ts";
import { Problem } from "#src/operations/openapi.ts";
import type { Operation } from "#src/operations/operation.ts";
import { executable } from "./program.ts";

/**
 * Fails unless the answer has a request id, and its body the schema that the operation declares
 * for its status.
 */
export function expectContract(
  operations: Operation[],
  method: string,
  path: string,
  answer: { status: number; headers: Headers; text: string; json?: { database_status?: unknown } },
): void {
  // Headers beyond 16 KiB are refused by the server, before the application sees them.
  if (executable() && answer.status === 431 && answer.text === "") return;
  expect(answer.headers.get("x-request-id")).toMatch(/^[A-Za-z0-9._-]{8,128}$/);
  if (answer.status >= 400 && answer.json?.database_status === undefined) {
    if (method !== "HEAD") expect(faultsOf(Problem, answer.json)).toEqual([]);
    return;
  }
  const operation = operations.find(
    (candidate) => candidate.method === method && matches(candidate.path, path),
  );
  const schema = operation?.spec.answers[answer.status];
  if (schema && !operation?.spec.answerMedia) expect(faultsOf(schema, answer.json)).toEqual([]);
}

const matches = (pattern: string, path: string) =>
  new RegExp(`^${pattern.replaceAll(/:[A-Za-z]+/g, "[^/]+")}/?(\\?.*)?$`).test(path) &&
  (!path.includes("/criteria") || pattern.includes("criteria"));
