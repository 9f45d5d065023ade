/**
 * Durations in seconds, counted in buckets that are allocated once; as Prometheus's text format
 * wants them.
 */
export type Histogram = { boundsS: readonly number[]; counts: Float64Array; sumS: number };

/**
 * From a tenth of a millisecond, below which only remembered answers are, to the longest that
 * anybody waits.
 */
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
  let at = 0;
  while (at < BOUNDS_S.length && seconds > (BOUNDS_S[at] as number)) at++;
  (histogram.counts[at] as number)++;
  histogram.sumS += seconds;
}
