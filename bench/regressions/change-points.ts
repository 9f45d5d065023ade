import { median } from "../figures/statistics.ts";

/**
 * A series changes level at `index`: the ratio of the median after to the median before, and the
 * two-sided p of the t-test.
 */
export type ChangePoint = { index: number; ratio: number; p: number };

/** Significance levels for splitting further, and for the change points that are returned. */
const CANDIDATE_P = 0.01;
const CHANGE_P = 0.001;
/** Points required on either side of a change; fewer give no usable variance. */
const MIN_POINTS = 4;
/** Series are searched in overlapping windows: in a long series a short excursion is invisible. */
const WINDOW = 30;

/**
 * The change points of a series of positive values, earliest first. E-divisive (Matteson and James,
 * J. Am. Stat. Assoc. 109, 2014) proposes candidates in windows, and Student's t-test between
 * neighbouring levels accepts them, as in Hunter (Fleming et al., ICPE 2023; now Apache Otava). The
 * result is deterministic and needs no manual threshold. The values are compared on a logarithmic
 * scale, because relative change is what matters.
 */
export function findChangePoints(values: readonly number[]): ChangePoint[] {
  const logs = values.map(Math.log);
  const candidates = new Set<number>();
  for (let start = 0; start === 0 || start + WINDOW / 2 < logs.length; start += WINDOW / 2) {
    const end = Math.min(start + WINDOW, logs.length);
    for (const split of splitsOf(logs, start, end)) candidates.add(split);
  }
  const sorted = [...candidates].sort((a, b) => a - b);
  return significantChanges(logs, sorted).map(({ index, p, before, after }) => ({
    index,
    p,
    ratio: Math.exp(median(after) - median(before)),
  }));
}

/** Splits [start, end) at its best split and recurses into both parts. */
function splitsOf(values: number[], start: number, end: number): number[] {
  const split = bestSplit(values.slice(start, end)) + start;
  if (Number.isNaN(split)) return [];
  if (studentP(values.slice(start, split), values.slice(split, end)) > CANDIDATE_P) return [];
  return [...splitsOf(values, start, split), split, ...splitsOf(values, split, end)];
}

/** Removes the least significant candidate and retests the others until all are significant. */
function significantChanges(values: number[], candidates: number[]) {
  for (let remaining = candidates; ; ) {
    const changes = remaining.map((index, n) => {
      const before = values.slice(remaining[n - 1] ?? 0, index);
      const after = values.slice(index, remaining[n + 1]);
      return { index, before, after, p: studentP(before, after) };
    });
    const weakest = changes.toSorted((a, b) => b.p - a.p)[0];
    if (!weakest || weakest.p <= CHANGE_P) return changes;
    remaining = remaining.filter((index) => index !== weakest.index);
  }
}

/**
 * The length of the left part that maximises the statistic Q of E-divisive with exponent 1: the
 * energy distance between both parts, weighted by their lengths. NaN if the series is too short.
 */
function bestSplit(values: number[]): number {
  const count = values.length;
  const distance = (a: number, b: number) =>
    Math.abs((values[a] as number) - (values[b] as number));
  let [left, right, between] = [0, 0, 0];
  for (let a = 0; a < count; a++) for (let b = 0; b < a; b++) right += distance(a, b);
  let best = { q: Number.NEGATIVE_INFINITY, split: Number.NaN };
  for (let split = 1; split <= count - MIN_POINTS; split++) {
    const moved = split - 1;
    for (let other = 0; other < count; other++) {
      const apart = distance(moved, other);
      if (other < moved) [left, between] = [left + apart, between - apart];
      else [right, between] = [right - apart, between + apart];
    }
    const [n, m] = [split, count - split];
    const energy =
      (2 * between) / (n * m) - (2 * left) / (n * Math.max(n - 1, 1)) - (2 * right) / (m * (m - 1));
    const q = ((n * m) / count) * energy;
    if (split >= MIN_POINTS && q > best.q) best = { q, split };
  }
  return best.split;
}

/** Two-sided p of Student's pooled t-test; 1 if either side has fewer than two values. */
export function studentP(a: readonly number[], b: readonly number[]): number {
  const degrees = a.length + b.length - 2;
  if (a.length < 2 || b.length < 2) return 1;
  const mean = (values: readonly number[]) =>
    values.reduce((sum, value) => sum + value, 0) / values.length;
  const squares = (values: readonly number[], middle = mean(values)) =>
    values.reduce((sum, value) => sum + (value - middle) ** 2, 0);
  const variance = ((squares(a) + squares(b)) / degrees) * (1 / a.length + 1 / b.length);
  const apart = Math.abs(mean(a) - mean(b));
  // Equal values may differ by a rounding error.
  if (apart < 1e-12) return 1;
  return studentTail(apart / Math.sqrt(variance), degrees);
}

/** P(|T| > t) for integer degrees of freedom (Abramowitz and Stegun 1964, 26.7.3 and 26.7.4). */
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
