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
] as const)("by %s %d for %d repetitions is %d for one", (formula, weight, reps, expected) => {
  expect(oneRepMax(formula, weight, reps)).toBeCloseTo(expected, 3);
});

test("one repetition is its own maximum, more is worth more, and outside 1 to 12 nothing is said", () => {
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
        for (const reps of [0, 13, -1, 2.5, Number.NaN]) expect(oneRepMax(formula, weight, reps)).toBeNull();
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
])("%d repetitions with %p are %d percent by the table", (reps, effort, percent) => {
  expect(oneRepMax("rpe_table", 100, reps, effort)).toBeCloseTo(10_000 / percent, 9);
});

test("by the table a rep more, or one in reserve, are worth the same, and without an RPE from 6 to 10 nothing is said", () => {
  expect(RPE_PERCENT.every((percent, at) => at === 0 || percent < (RPE_PERCENT[at - 1] as number))).toBe(true);
  for (let reps = 1; reps < 12; reps++) {
    for (const rpe of [7, 8.5, 10]) {
      expect(oneRepMax("rpe_table", 100, reps + 1, { rpe })).toBe(oneRepMax("rpe_table", 100, reps, { rpe: rpe - 1 }));
    }
  }
  for (const effort of [{}, { rpe: null, rir: null }, { rpe: 5.5 }, { rir: 5 }]) {
    expect(oneRepMax("rpe_table", 100, 5, effort)).toBeNull();
  }
  expect(oneRepMax("rpe_table", 100, 13, { rpe: 10 })).toBeNull();
});
