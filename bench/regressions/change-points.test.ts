import { expect, test } from "bun:test";
import { mulberry32 } from "../figures/statistics.ts";
import { findChangePoints, studentP } from "./change-points.ts";

/** Lognormal noise with relative standard deviation `sd` around successive levels. */
function series(seed: number, sd: number, ...levels: [level: number, points: number][]): number[] {
  const random = mulberry32(seed);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  return levels.flatMap(([level, points]) =>
    Array.from({ length: points }, () => level * Math.exp(sd * normal())),
  );
}

const SEEDS = Array.from({ length: 40 }, (_, index) => index + 1);

test("a 5 % CPU increase is located to within one commit, five commits after it", () => {
  for (const seed of SEEDS) {
    const [change, ...others] = findChangePoints(series(seed, 0.012, [500, 20], [525, 5]));
    expect(others).toEqual([]);
    expect(Math.abs((change?.index ?? Number.NaN) - 20)).toBeLessThanOrEqual(1);
    expect(change?.ratio).toBeGreaterThan(1.03);
  }
});

test("a noisy flat series has no change points", () => {
  const alarms = SEEDS.filter((seed) => findChangePoints(series(seed, 0.05, [500, 60])).length > 0);
  expect(alarms.length).toBeLessThanOrEqual(2);
  expect(findChangePoints(series(1, 0.02, [500, 25]))).toEqual([]);
});

test("both ends of a ten-commit excursion in a long series are found", () => {
  const changes = findChangePoints(series(9, 0.01, [500, 40], [540, 10], [500, 40]));
  expect(changes.map(({ index }) => index)).toEqual([40, 50]);
  expect(changes[0]?.ratio).toBeCloseTo(1.08, 1);
  expect(changes[1]?.ratio).toBeCloseTo(0.926, 1);
});

test("a single outlier is not a change", () => {
  const values = series(4, 0.01, [500, 30]);
  values[12] = 900;
  expect(findChangePoints(values)).toEqual([]);
});

test("short and constant series have no change points; a noiseless step has one", () => {
  expect(findChangePoints([])).toEqual([]);
  expect(findChangePoints([1, 2, 3])).toEqual([]);
  expect(findChangePoints(Array.from({ length: 20 }, () => 7))).toEqual([]);
  expect(findChangePoints([...Array(9).fill(7), ...Array(9).fill(8)])).toMatchObject([
    { index: 9, p: 0 },
  ]);
});

test("the t-test gives the tabulated p", () => {
  // t = 3.674 with 4 degrees of freedom, and 2.196 with 5: by numerical integration of the density.
  expect(studentP([1, 2, 3], [4, 5, 6])).toBeCloseTo(0.02131, 4);
  expect(studentP([0, 2, 4], [3, 5, 7, 5])).toBeCloseTo(0.07952, 4);
  expect(studentP([1], [2, 3])).toBe(1);
});
