import { expect, test } from "bun:test";
import fc from "fast-check";
import {
  answersFor,
  figureOf,
  greatestWithin,
  nextRate,
  readObjective,
  type Tried,
} from "./knee.ts";

/** Searches a server that keeps to its objective up to `capacity` requests a second. */
function search(capacity: number, { from = 50, most = 10_000, precision = 1.1 } = {}) {
  const tried: Tried[] = [];
  for (let rate = nextRate([], { from, most, precision }); rate !== undefined; ) {
    tried.push({ rate, isWithin: rate <= capacity });
    rate = nextRate(tried, { from, most, precision });
  }
  return { tried, found: greatestWithin(tried) };
}

test("the knee is found to a tenth, wherever it is, in few runs", () => {
  fc.assert(
    fc.property(fc.double({ min: 2, max: 9_999, noNaN: true }), (capacity) => {
      const { tried, found = 0 } = search(capacity);
      expect(found).toBeLessThanOrEqual(capacity);
      expect(found * 1.1).toBeGreaterThanOrEqual(capacity);
      expect(tried.length).toBeLessThanOrEqual(13);
    }),
  );
});

test("a server that keeps to it at the greatest rate is asked no more, and one that never does has no knee", () => {
  expect(search(1_000_000, { most: 3000 }).found).toBe(3000);
  expect(search(0.5).found).toBeUndefined();
});

test("a rate beyond one that was missed is not believed", () => {
  const tried = [100, 200, 400].map((rate) => ({ rate, isWithin: rate !== 200 }));
  expect(greatestWithin(tried)).toBe(100);
});

test("an objective is a figure and its most ms, and needs ten answers beyond a percentile", () => {
  expect(readObjective("p99=50ms")).toEqual({ figure: "p99", mostMs: 50 });
  expect(readObjective("mean=2.5")).toEqual({ figure: "mean", mostMs: 2.5 });
  for (const wrong of ["", "p99", "p98=5ms", "p99=0", "p99=fast"])
    expect(() => readObjective(wrong)).toThrow("--slo");
  expect(answersFor({ figure: "p99", mostMs: 1 })).toBeGreaterThanOrEqual(1000);
  const responseMs = { count: 5, mean: 3, min: 1, max: 9, percentiles: {} };
  expect(figureOf({ figure: "p99", mostMs: 1 }, { responseMs })).toBeUndefined();
  expect(figureOf({ figure: "mean", mostMs: 1 }, { responseMs })).toBe(3);
});
