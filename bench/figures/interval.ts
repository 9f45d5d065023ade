/** A mean with its 95 % confidence interval; `low` and `high` are null for a single value. */
export type Interval = { mean: number; low: number | null; high: number | null };

/** The 97.5 % quantile of Student's t for 1 to 10 degrees of freedom. */
const T_QUANTILES = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/**
 * The mean over runs with its 95 % confidence interval (Student 1908). The sample is the run, not
 * the request: requests of one run are not independent, so even a thousand of them do not predict
 * the next run.
 */
export function intervalOf(runs: number[]): Interval {
  const count = runs.length;
  const mean = runs.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, low: null, high: null };
  const variance = runs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  // Above ten degrees of freedom t is approximately 1.96 + 2.4 / degrees.
  const half = (T_QUANTILES[count - 2] ?? 1.96 + 2.4 / (count - 1)) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half };
}
