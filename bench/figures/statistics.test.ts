import { expect, test } from "bun:test";
import { median, mulberry32, ratioOfPairs, ratioOfSamples } from "./statistics.ts";

test("the median of an even number of values is the mean of the middle two", () => {
  expect(median([4, 1, 3, 2])).toBe(2.5);
  expect(median([5])).toBe(5);
});

test("equal pairs have a ratio of exactly one", () => {
  expect(ratioOfPairs(Array.from({ length: 9 }, () => ({ a: 2, b: 2 })))).toEqual({
    median: 1,
    low: 1,
    high: 1,
  });
});

test("the interval excludes one for a real difference and includes it for noise", () => {
  const random = mulberry32(7);
  const noisy = (factor: number) =>
    Array.from({ length: 30 }, () => ({ a: factor * (1 + 0.1 * random()), b: 1 + 0.1 * random() }));
  expect(ratioOfPairs(noisy(1.2)).low).toBeGreaterThan(1.1);
  const same = ratioOfPairs(noisy(1));
  expect(same.low).toBeLessThan(1.001);
  expect(same.high).toBeGreaterThan(0.999);
});

test("the bootstrap interval of a median matches the exact bootstrap distribution", () => {
  // Efron 1979: a resampled median of n values is at most the k-th value with the probability that
  // a binomial(n, k/n) variable exceeds n/2. For 2.5 % that is the 2nd of 9 values, the 7th of 21.
  for (const [count, kth] of [
    [9, 2],
    [21, 7],
  ] as const) {
    const estimate = ratioOfPairs(
      Array.from({ length: count }, (_, index) => ({ a: Math.exp(index + 1), b: 1 })),
    );
    expect(Math.log(estimate.low)).toBeCloseTo(kth, 9);
    expect(Math.log(estimate.high)).toBeCloseTo(count + 1 - kth, 9);
  }
});

test("intervals of unpaired samples cover the true ratio at about their nominal rate", () => {
  const random = mulberry32(5);
  // The median is e^0 = 1; the mean is not.
  const skewed = (factor: number, count: number) =>
    Array.from(
      { length: count },
      () => factor * Math.exp(-0.1 * (Math.log(1 - random()) + Math.LN2)),
    );
  let covered = 0;
  for (let trial = 0; trial < 60; trial++) {
    const { low, high } = ratioOfSamples(skewed(1.3, 9), skewed(1, 9));
    if (low <= 1.3 && 1.3 <= high) covered++;
  }
  expect(covered).toBeGreaterThanOrEqual(53);
});
