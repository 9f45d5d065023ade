import { median } from "../figures/statistics.ts";

/**
 * From `index` on a series is at another level: median after / median before, and the t-test's
 * two-sided p.
 */
export type ChangePoint = { index: number; ratio: number; p: number };

/**
 * A split is looked at more closely when it is as unlikely by chance; and kept when it is as
 * unlikely in the end.
 */
const P_OF_CANDIDATES = 0.01;
const P_OF_CHANGES = 0.001;
/** Points on either side: fewer have no spread to speak of. */
const FEWEST = 4;
/** A level that lasted a while only is not seen in all of a long series. */
const WINDOW = 30;

/**
 * Where the level of a series of positive values changed, earliest first: E-divisive (Matteson and
 * James, J. Am. Stat. Assoc. 109, 2014) proposes, in windows, and Student's t-test between
 * neighbouring levels decides, as in Hunter (Fleming et al., ICPE 2023; now Apache Otava), so that
 * nothing is drawn by lot and no threshold is set by hand. On logarithms: what matters is by what
 * share it changed.
 */
export function findChangePoints(values: readonly number[]): ChangePoint[] {
  const logs = values.map(Math.log);
  const found = new Set<number>();
  for (let start = 0; start === 0 || start + WINDOW / 2 < logs.length; start += WINDOW / 2) {
    for (const at of splitsOf(logs, start, Math.min(start + WINDOW, logs.length))) found.add(at);
  }
  return withoutWeak(
    logs,
    [...found].sort((a, b) => a - b),
  ).map(({ index, p, before, after }) => ({
    index,
    p,
    ratio: Math.exp(median(after) - median(before)),
  }));
}

/** Splits from `start` to before `end`, and what is on either side of each likewise. */
function splitsOf(values: number[], start: number, end: number): number[] {
  const at = bestSplit(values.slice(start, end)) + start;
  if (
    Number.isNaN(at) ||
    studentP(values.slice(start, at), values.slice(at, end)) > P_OF_CANDIDATES
  )
    return [];
  return [...splitsOf(values, start, at), at, ...splitsOf(values, at, end)];
}

/** Takes the least certain away, and judges its neighbours anew, until all are certain. */
function withoutWeak(values: number[], indexes: number[]) {
  for (let left = indexes; ; ) {
    const levels = left.map((index, at) => {
      const before = values.slice(left[at - 1] ?? 0, index);
      const after = values.slice(index, left[at + 1]);
      return { index, before, after, p: studentP(before, after) };
    });
    const weakest = levels.toSorted((a, b) => b.p - a.p)[0];
    if (!weakest || weakest.p <= P_OF_CHANGES) return levels;
    left = left.filter((index) => index !== weakest.index);
  }
}

/**
 * The length of the left part for which both parts are furthest apart in energy distance, weighed
 * by their lengths: the statistic Q of E-divisive with exponent 1. NaN of too short a series.
 */
function bestSplit(values: number[]): number {
  const count = values.length;
  const distance = (a: number, b: number) =>
    Math.abs((values[a] as number) - (values[b] as number));
  let [left, right, between] = [0, 0, 0];
  for (let a = 0; a < count; a++) for (let b = 0; b < a; b++) right += distance(a, b);
  let best = { q: Number.NEGATIVE_INFINITY, at: Number.NaN };
  for (let at = 1; at <= count - FEWEST; at++) {
    const moved = at - 1;
    for (let other = 0; other < count; other++) {
      const far = distance(moved, other);
      if (other < moved) [left, between] = [left + far, between - far];
      else [right, between] = [right - far, between + far];
    }
    const [n, m] = [at, count - at];
    const energy =
      (2 * between) / (n * m) - (2 * left) / (n * Math.max(n - 1, 1)) - (2 * right) / (m * (m - 1));
    const q = ((n * m) / count) * energy;
    if (at >= FEWEST && q > best.q) best = { q, at };
  }
  return best.at;
}

/**
 * Two-sided p of Student's t-test with pooled variance; 1 when either side has fewer than two
 * values.
 */
export function studentP(a: readonly number[], b: readonly number[]): number {
  const degrees = a.length + b.length - 2;
  if (a.length < 2 || b.length < 2) return 1;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (values: readonly number[], middle = mean(values)) =>
    values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const variance = ((squares(a) + squares(b)) / degrees) * (1 / a.length + 1 / b.length);
  const apart = Math.abs(mean(a) - mean(b));
  // What rounding makes of equal values is no difference.
  if (apart < 1e-12) return 1;
  return studentTail(apart / Math.sqrt(variance), degrees);
}

/**
 * P(|T| > t): Abramowitz and Stegun 1964, 26.7.3 and 26.7.4, finite sums for whole degrees of
 * freedom.
 */
function studentTail(t: number, degrees: number): number {
  const angle = Math.atan(t / Math.sqrt(degrees));
  const cosine = Math.cos(angle);
  const isOdd = degrees % 2 === 1;
  let term = isOdd ? cosine : 1;
  let sum = degrees === 1 ? 0 : term;
  for (let power = isOdd ? 3 : 2; power <= degrees - 2; power += 2) {
    term *= ((power - 1) / power) * cosine ** 2;
    sum += term;
  }
  const inside = isOdd ? (2 / Math.PI) * (angle + Math.sin(angle) * sum) : Math.sin(angle) * sum;
  return Math.max(1 - inside, 0);
}
