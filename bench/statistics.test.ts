import { expect, test } from "bun:test";
import { median, mulberry32, ratioOfPairs } from "./statistics.ts";

test("the median of an even number is between the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([5])).toBe(5);
});

test("equal pairs have the ratio one, without doubt", () => {
  expect(ratioOfPairs(Array.from({ length: 9 }, () => ({ a: 2, b: 2 })))).toEqual({ median: 1, low: 1, high: 1 });
});

test("a real difference lies outside the interval around one, noise does not", () => {
  const random = mulberry32(7);
  const noisy = (factor: number) =>
    Array.from({ length: 30 }, () => ({ a: factor * (1 + 0.1 * random()), b: 1 + 0.1 * random() }));
  expect(ratioOfPairs(noisy(1.2)).low).toBeGreaterThan(1.1);
  const same = ratioOfPairs(noisy(1));
  expect(same.low).toBeLessThan(1.001);
  expect(same.high).toBeGreaterThan(0.999);
});
