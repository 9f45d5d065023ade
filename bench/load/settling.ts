import { median } from "../figures/statistics.ts";
import type { Recording } from "./recording.ts";

/** The number of seconds that a slope is computed over. */
const WINDOW_S = 5;
/** A smaller slope per second, as a share of the mean, counts as none. */
const MIN_SLOPE = 0.02;

/**
 * The median response time in ms of the requests due in each of the first `seconds` seconds; NaN
 * without answers.
 */
export function medianOfSeconds({ due, done }: Recording, seconds: number): number[] {
  const bySecond: number[][] = Array.from({ length: seconds }, () => []);
  for (let index = 0; index < due.length; index++) {
    const response = (done[index] as number) - (due[index] as number);
    if (!Number.isNaN(response))
      bySecond[Math.floor((due[index] as number) / 1000)]?.push(response);
  }
  return bySecond.map(median);
}

/**
 * Whether a warm-up is over: the regression line through the last five of `medians`, one a second,
 * has a slope under 2 % of their mean, or one within its standard error. False for fewer than five.
 */
export function isSettled(medians: number[]): boolean {
  const last = medians.slice(-WINDOW_S);
  if (last.length < WINDOW_S) return false;
  const mean = last.reduce((sum, ms) => sum + ms, 0) / WINDOW_S;
  const middle = (WINDOW_S - 1) / 2;
  const spread = last.reduce((sum, _, second) => sum + (second - middle) ** 2, 0);
  const slope = last.reduce((sum, ms, second) => sum + (second - middle) * (ms - mean), 0) / spread;
  const residual = last.reduce(
    (sum, ms, second) => sum + (ms - mean - slope * (second - middle)) ** 2,
    0,
  );
  const standardError = Math.sqrt(residual / (WINDOW_S - 2) / spread);
  return Math.abs(slope) < Math.max(MIN_SLOPE * mean, standardError);
}
