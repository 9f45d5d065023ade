import { median } from "../figures/statistics.ts";
import type { Recording } from "./recording.ts";

/** Over how many seconds a slope is looked at. */
const WINDOW_S = 5;
/** A slope of less than this a second, as a share of the mean, is none. */
const MIN_SLOPE = 0.02;

/**
 * The median response in ms of the requests that were due in each of the first `seconds` seconds;
 * NaN without answers.
 */
export function medianOfSeconds({ due, done }: Recording, seconds: number): number[] {
  const bySecond: number[][] = Array.from({ length: seconds }, () => []);
  for (let at = 0; at < due.length; at++) {
    const response = (done[at] as number) - (due[at] as number);
    if (!Number.isNaN(response)) bySecond[Math.floor((due[at] as number) / 1000)]?.push(response);
  }
  return bySecond.map(median);
}

/**
 * Whether a warm-up is over: the line through the last five of `medians`, one a second, has a slope
 * under 2 % of their mean, or one that chance makes of so much scatter (its standard error). False
 * of fewer.
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
