/** A median with its 95 % bootstrap interval. */
export type Estimate = { median: number; low: number; high: number };

/** The median and its interval, such as `1.04 [1.01, 1.07]`. */
export const estimateText = ({ median, low, high }: Estimate, digits = 2): string =>
  `${median.toFixed(digits)} [${low.toFixed(digits)}, ${high.toFixed(digits)}]`;

const RESAMPLES = 10_000;

/** The middle value, or the mean of the two middle values; NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  if (sorted.length % 2 === 1) return sorted[middle] as number;
  return ((sorted[middle - 1] ?? Number.NaN) + (sorted[middle] ?? Number.NaN)) / 2;
}

/**
 * The median ratio a/b of pairs with its 95 % percentile-bootstrap interval (Efron and Tibshirani
 * 1993, §13.3), computed on logarithms so that a/b and b/a give the same result. The same `seed`
 * gives the same interval.
 */
export function ratioOfPairs(pairs: readonly { a: number; b: number }[], seed = 1): Estimate {
  const logs = pairs.map(({ a, b }) => Math.log(a / b));
  const random = mulberry32(seed);
  return estimate(median(logs), () => medianOfResample(logs, random), 0.95);
}

/**
 * The ratio of the medians of two unpaired samples, such as runs from different days, with a
 * bootstrap interval. Each side is resampled independently.
 */
export function ratioOfSamples(
  a: readonly number[],
  b: readonly number[],
  confidence = 0.95,
  seed = 1,
): Estimate {
  const [logsA, logsB] = [a.map(Math.log), b.map(Math.log)];
  const random = mulberry32(seed);
  const resample = () => medianOfResample(logsA, random) - medianOfResample(logsB, random);
  return estimate(median(logsA) - median(logsB), resample, confidence);
}

function estimate(log: number, resample: () => number, confidence: number): Estimate {
  const resampled = Float64Array.from({ length: RESAMPLES }, resample).sort();
  const quantile = (share: number) =>
    Math.exp(resampled[Math.floor(share * (RESAMPLES - 1))] as number);
  return {
    median: Math.exp(log),
    low: quantile((1 - confidence) / 2),
    high: quantile((1 + confidence) / 2),
  };
}

const medianOfResample = (values: readonly number[], random: () => number): number =>
  median(values.map(() => values[Math.floor(random() * values.length)] as number));

/** Mulberry32 (Tommy Ettinger, public domain): a seeded generator of numbers in [0, 1). */
export function mulberry32(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 4_294_967_296;
  };
}

/** A copy of `values` in random order (Fisher and Yates). */
export function shuffled<T>(values: readonly T[], random: () => number = Math.random): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last--) {
    const other = Math.floor(random() * (last + 1));
    [mixed[last], mixed[other]] = [mixed[other] as T, mixed[last] as T];
  }
  return mixed;
}
