import { expect, test } from "bun:test";
import { median, mulberry32, ratioOfPairs, ratioOfSamples } from "./statistics.ts";

test("the median of an even number is between the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([5])).toBe(5);
});

test("equal pairs have the ratio one, without doubt", () => {
  expect(ratioOfPairs(Array.from({ length: 9 }, () => ({ a: 2, b: 2 })))).toEqual({
    median: 1,
    low: 1,
    high: 1,
  });
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

test("the bootstrap interval of a median is that of the exact bootstrap distribution", () => {
  // Efron 1979: the resampled median of n is at most the k-th value as often as n draws of chance
  // k/n succeed n/2 times. For 2.5 % that is the 2nd of 9 values and the 7th of 21.
  for (const [count, kth] of [
    [9, 2],
    [21, 7],
  ] as const) {
    const found = ratioOfPairs(
      Array.from({ length: count }, (_, at) => ({ a: Math.exp(at + 1), b: 1 })),
    );
    expect(Math.log(found.low)).toBeCloseTo(kth, 9);
    expect(Math.log(found.high)).toBeCloseTo(count + 1 - kth, 9);
  }
});

test("intervals of samples that are no pairs hold the true ratio about as often as they say", () => {
  const random = mulberry32(5);
  // Its median is e^0 = 1, its mean is not.
  const skewed = (factor: number, count: number) =>
    Array.from(
      { length: count },
      () => factor * Math.exp(-0.1 * (Math.log(1 - random()) + Math.LN2)),
    );
  let holding = 0;
  for (let trial = 0; trial < 60; trial++) {
    const { low, high } = ratioOfSamples(skewed(1.3, 9), skewed(1, 9));
    if (low <= 1.3 && 1.3 <= high) holding++;
  }
  expect(holding).toBeGreaterThanOrEqual(53);
});
