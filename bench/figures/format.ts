import type { Interval } from "./interval.ts";

/** Three significant digits; a dash for a missing value. */
export function figure(value: number | null | undefined): string {
  if (value === null || value === undefined || Number.isNaN(value)) return "–";
  return Math.abs(value) >= 1000 ? value.toFixed(0) : String(+value.toPrecision(3));
}

export const percent = (share: number): string => `${(share * 100).toFixed(0)} %`;

/** A mean ± half the width of its interval, if it has one. */
export function meanText(interval: Interval | undefined): string {
  if (!interval || Number.isNaN(interval.mean)) return figure(undefined);
  const { mean, high } = interval;
  return high === null || high === mean ? figure(mean) : `${figure(mean)} ± ${figure(high - mean)}`;
}
