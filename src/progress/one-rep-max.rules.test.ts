import { expect, test } from "bun:test";
import fc from "fast-check";
import { FORMULAS, oneRepMax } from "./one-rep-max.rules.ts";

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
    fc.property(fc.constantFrom(...FORMULAS), fc.integer({ min: 1, max: 500 }), (formula, weight) => {
      expect(oneRepMax(formula, weight, 1)).toBe(weight);
      for (let reps = 1; reps < 12; reps++) {
        expect(oneRepMax(formula, weight, reps + 1) as number).toBeGreaterThan(
          oneRepMax(formula, weight, reps) as number,
        );
      }
      for (const reps of [0, 13, -1, 2.5, Number.NaN]) expect(oneRepMax(formula, weight, reps)).toBeNull();
    }),
  );
});
