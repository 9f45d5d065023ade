import { expect, test } from "bun:test";
import type { RequestPath } from "../testbed/request-path.ts";
import { operationsOn, QUESTIONS, REQUEST_PATHS } from "./request-paths.ts";

const KEYS = Object.keys(REQUEST_PATHS.direct) as (keyof RequestPath)[];

test.each(QUESTIONS)(
  "$about: the two paths differ in one component, and are measured with the same operations",
  (question) => {
    const [a, b]: RequestPath[] = [REQUEST_PATHS[question.a], REQUEST_PATHS[question.b]];
    expect(KEYS.filter((key) => a?.[key] !== b?.[key])).toHaveLength(1);
    for (const name of [question.a, question.b])
      expect(operationsOn(name)).toEqual(expect.arrayContaining([...question.operations]));
  },
);

test("every path answers a question", () => {
  const compared = new Set(QUESTIONS.flatMap(({ a, b }) => [a, b]));
  expect(
    Object.keys(REQUEST_PATHS).filter((name) => !compared.has(name as keyof typeof REQUEST_PATHS)),
  ).toEqual([]);
});
