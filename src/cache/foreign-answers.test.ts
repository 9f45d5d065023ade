import { expect, test } from "bun:test";
import { findForeignAnswers } from "#test/foreign-answers.ts";

test("no answer shows somebody what is another's, whatever is cached, joined and invalidated meanwhile", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { answers, ...found } = await findForeignAnswers(3000, seed);
  expect({ seed, ...found }).toEqual({ seed, foreign: [], unexpected: [] });
  expect(answers).toBeGreaterThanOrEqual(3000);
});
