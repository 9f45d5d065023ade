import { expect, test } from "bun:test";
import fc from "fast-check";
import { oneRepMax, RPE_PERCENT } from "./one-rep-max.rules.ts";

test.each([
  ["epley", 100, 10, 133.333],
  ["brzycki", 100, 10, 133.333],
  ["lombardi", 100, 10, 125.893],
  ["epley", 60, 3, 66],
  ["brzycki", 102.5, 5, 115.3125],
  ["lombardi", 140, 2, 150.048],
] as const)(
  "%s estimates from %d for %d repetitions %d for one",
  (formula, weight, reps, expected) => {
    expect(oneRepMax(formula, weight, reps)).toBeCloseTo(expected, 3);
  },
);

test("the estimate from one repetition is its weight, rises with repetitions, and is null outside 1 to 12", () => {
  fc.assert(
    fc.property(
      fc.constantFrom("epley", "brzycki", "lombardi"),
      fc.integer({ min: 1, max: 500 }),
      (formula, weight) => {
        expect(oneRepMax(formula, weight, 1)).toBe(weight);
        for (let reps = 1; reps < 12; reps++) {
          expect(oneRepMax(formula, weight, reps + 1) as number).toBeGreaterThan(
            oneRepMax(formula, weight, reps) as number,
          );
        }
        for (const reps of [0, 13, -1, 2.5, Number.NaN])
          expect(oneRepMax(formula, weight, reps)).toBeNull();
      },
    ),
  );
});

test.each([
  [1, { rpe: 10 }, 100],
  [1, { rpe: 9.5 }, 97.8],
  [5, { rpe: 8 }, 81.1],
  [5, { rir: 2 }, 81.1],
  [8, { rpe: 7, rir: 0 }, 70.7],
  [12, { rpe: 6 }, 57.4],
])("%d repetitions with %p are %d percent by the RPE table", (reps, effort, percent) => {
  expect(oneRepMax("rpe_table", 100, reps, effort)).toBeCloseTo(10_000 / percent, 9);
});

/** The printed chart: a row for each RPE, a column for each of 1 to 12 repetitions. */
test.each([
  [10, [100, 95.5, 92.2, 89.2, 86.3, 83.7, 81.1, 78.6, 76.2, 73.9, 70.7, 68]],
  [9.5, [97.8, 93.9, 90.7, 87.8, 85, 82.4, 79.9, 77.4, 75.1, 72.3, 69.4, 66.7]],
  [9, [95.5, 92.2, 89.2, 86.3, 83.7, 81.1, 78.6, 76.2, 73.9, 70.7, 68, 65.3]],
  [8.5, [93.9, 90.7, 87.8, 85, 82.4, 79.9, 77.4, 75.1, 72.3, 69.4, 66.7, 64]],
  [8, [92.2, 89.2, 86.3, 83.7, 81.1, 78.6, 76.2, 73.9, 70.7, 68, 65.3, 62.6]],
  [7.5, [90.7, 87.8, 85, 82.4, 79.9, 77.4, 75.1, 72.3, 69.4, 66.7, 64, 61.3]],
  [7, [89.2, 86.3, 83.7, 81.1, 78.6, 76.2, 73.9, 70.7, 68, 65.3, 62.6, 59.9]],
  [6.5, [87.8, 85, 82.4, 79.9, 77.4, 75.1, 72.3, 69.4, 66.7, 64, 61.3, 58.6]],
  [6, [86.3, 83.7, 81.1, 78.6, 76.2, 73.9, 70.7, 68, 65.3, 62.6, 59.9, 57.4]],
])("the RPE table equals the printed chart for RPE %d", (rpe, percents) => {
  for (const [index, percent] of percents.entries()) {
    expect(oneRepMax("rpe_table", percent, index + 1, { rpe })).toBeCloseTo(100, 9);
  }
});

test("in the RPE table one repetition more equals one in reserve, and without an RPE from 6 to 10 it is null", () => {
  expect(
    RPE_PERCENT.every(
      (percent, index) => index === 0 || percent < (RPE_PERCENT[index - 1] as number),
    ),
  ).toBe(true);
  for (let reps = 1; reps < 12; reps++) {
    for (const rpe of [7, 8.5, 10]) {
      expect(oneRepMax("rpe_table", 100, reps + 1, { rpe })).toBe(
        oneRepMax("rpe_table", 100, reps, { rpe: rpe - 1 }),
      );
    }
  }
  for (const effort of [{}, { rpe: null, rir: null }, { rpe: 5.5 }, { rir: 5 }]) {
    expect(oneRepMax("rpe_table", 100, 5, effort)).toBeNull();
  }
  expect(oneRepMax("rpe_table", 100, 13, { rpe: 10 })).toBeNull();
});
