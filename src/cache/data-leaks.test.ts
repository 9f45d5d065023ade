import { expect, test } from "bun:test";
import { findDataLeaks } from "#test/data-leaks.ts";

test("no answer shows a user another user's data, whatever is cached, joined and invalidated meanwhile", async () => {
  const seed = Math.floor(Math.random() * 2 ** 31);
  const { answers, ...findings } = await findDataLeaks(3000, seed);
  expect({ seed, ...findings }).toEqual({ seed, leaks: [], unexpected: [] });
  expect(answers).toBeGreaterThanOrEqual(3000);
});
