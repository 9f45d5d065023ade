/** A mean with its 95 % interval; the interval is null of one value. */
export type Interval = { mean: number; low: number | null; high: number | null };

/** Student's t, 97.5 %, for 1 to 10 degrees of freedom. */
const T = [12.706, 4.303, 3.182, 2.776, 2.571, 2.447, 2.365, 2.306, 2.262, 2.228];

/**
 * The mean of runs and where it lies with 95 % confidence (Student 1908). The run is the sample:
 * requests of one run are no independent ones, so a thousand of them say nothing of the next run.
 */
export function intervalOf(runs: number[]): Interval {
  const count = runs.length;
  const mean = runs.reduce((sum, value) => sum + value, 0) / count;
  if (count < 2) return { mean, low: null, high: null };
  const variance = runs.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (count - 1);
  // Beyond ten degrees of freedom t is close to 1.96 + 2.4 / degrees.
  const half = (T[count - 2] ?? 1.96 + 2.4 / (count - 1)) * Math.sqrt(variance / count);
  return { mean, low: mean - half, high: mean + half };
}
