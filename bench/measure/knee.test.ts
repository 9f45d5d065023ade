import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  type Attempt,
  answersFor,
  figureOf,
  highestWithin,
  nextRate,
  parseObjective,
} from "./knee.ts";

/** Searches a server that keeps to its objective up to `capacity` requests per second. */
function search(capacity: number, { from = 50, max = 10_000, precision = 1.1 } = {}) {
  const attempts: Attempt[] = [];
  for (let rate = nextRate([], { from, max, precision }); rate !== undefined; ) {
    attempts.push({ rate, isWithin: rate <= capacity });
    rate = nextRate(attempts, { from, max, precision });
  }
  return { attempts, knee: highestWithin(attempts) };
}

test("the knee is found within a tenth in few runs", () => {
  fc.assert(
    fc.property(fc.double({ min: 2, max: 9_999, noNaN: true }), (capacity) => {
      const { attempts, knee = 0 } = search(capacity);
      expect(knee).toBeLessThanOrEqual(capacity);
      expect(knee * 1.1).toBeGreaterThanOrEqual(capacity);
      expect(attempts.length).toBeLessThanOrEqual(13);
    }),
  );
});

test("a search ends at the maximum rate, and without a knee if no rate meets the objective", () => {
  expect(search(1_000_000, { max: 3000 }).knee).toBe(3000);
  expect(search(0.5).knee).toBeUndefined();
});

test("rates above one that missed the objective are ignored", () => {
  const attempts = [100, 200, 400].map((rate) => ({ rate, isWithin: rate !== 200 }));
  expect(highestWithin(attempts)).toBe(100);
});

test("an objective is a figure and its maximum in ms, and needs ten answers beyond a percentile", () => {
  expect(parseObjective("p99=50ms")).toEqual({ figure: "p99", mostMs: 50 });
  expect(parseObjective("mean=2.5")).toEqual({ figure: "mean", mostMs: 2.5 });
  for (const invalid of ["", "p99", "p98=5ms", "p99=0", "p99=fast"])
    expect(() => parseObjective(invalid)).toThrow("--slo");
  expect(answersFor({ figure: "p99", mostMs: 1 })).toBeGreaterThanOrEqual(1000);
  const responseMs = { count: 5, mean: 3, min: 1, max: 9, percentiles: {} };
  expect(figureOf({ figure: "p99", mostMs: 1 }, { responseMs })).toBeUndefined();
  expect(figureOf({ figure: "mean", mostMs: 1 }, { responseMs })).toBe(3);
});
