import { expect, test } from "bun:test";
import { findForeignAnswers } from "#test/foreign-answers.ts";

const ANSWERS = 20_000;

test(`of ${ANSWERS} answers none shows somebody what is another's`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { answers, ...found } = await findForeignAnswers(ANSWERS, seed);
  expect({ seed, ...found }).toEqual({ seed, foreign: [], unexpected: [] });
  expect(answers).toBeGreaterThanOrEqual(ANSWERS);
});
