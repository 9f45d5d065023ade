import { expect, test } from "bun:test";
import { operationsOn, PATHS, type Path, QUESTIONS } from "./request-paths.ts";

const KEYS = Object.keys(PATHS.direct) as (keyof Path)[];

test.each(QUESTIONS)(
  "$about: the two differ in one thing, and are measured by the same operations",
  (question) => {
    const [a, b]: Path[] = [PATHS[question.a], PATHS[question.b]];
    expect(KEYS.filter((key) => a?.[key] !== b?.[key])).toHaveLength(1);
    for (const name of [question.a, question.b])
      expect(operationsOn(name)).toEqual(expect.arrayContaining([...question.operations]));
  },
);

test("every path answers a question", () => {
  const asked = new Set(QUESTIONS.flatMap(({ a, b }) => [a, b]));
  expect(Object.keys(PATHS).filter((name) => !asked.has(name as keyof typeof PATHS))).toEqual([]);
});
