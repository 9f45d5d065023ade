/** Durations in seconds, counted in fixed buckets as in Prometheus's text format. */
export type Histogram = { boundsS: readonly number[]; counts: Float64Array; sumS: number };

/** From 0.1 ms, below which only cached replies are, to the longest time that a request may take. */
const BOUNDS_S = [
  0.0001, 0.00025, 0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10,
];

export const createHistogram = (): Histogram => ({
  boundsS: BOUNDS_S,
  counts: new Float64Array(BOUNDS_S.length + 1),
  sumS: 0,
});

/** Counts one duration. The last bucket has no upper bound. */
export function observe(histogram: Histogram, seconds: number): void {
  let bucket = 0;
  while (bucket < BOUNDS_S.length && seconds > (BOUNDS_S[bucket] as number)) bucket++;
  (histogram.counts[bucket] as number)++;
  histogram.sumS += seconds;
}
