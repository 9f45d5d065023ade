import { expect, test } from "bun:test";
import { findDataLeaks } from "#test/data-leaks.ts";

const ANSWERS = 20_000;

test(`none of ${ANSWERS} answers shows a user another user's data`, async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { answers, ...findings } = await findDataLeaks(ANSWERS, seed);
  expect({ seed, ...findings }).toEqual({ seed, leaks: [], unexpected: [] });
  expect(answers).toBeGreaterThanOrEqual(ANSWERS);
});
