import { mulberry32 } from "../figures/statistics.ts";

/**
 * When requests are due: `constant` or `poisson` at `rate` a second; `ramp` is Poisson with a rate
 * that rises from `rate` to `toRate`.
 */
export type Arrivals = {
  model: "constant" | "poisson" | "ramp";
  rate: number;
  toRate?: number;
  durationMs: number;
  seed?: number;
};

export const ARRIVAL_MODELS = ["poisson", "constant", "ramp", "closed"] as const;
export type ArrivalModel = (typeof ARRIVAL_MODELS)[number];

/** The arrivals that command-line options describe. A closed loop has none. */
export function arrivalsOf(options: {
  model: ArrivalModel;
  rate: number;
  toRate: number;
  durationMs: number;
  seed: number;
}): Arrivals | { model: "closed"; durationMs: number } {
  const { model, rate, toRate, durationMs, seed } = options;
  if (model === "closed") return { model, durationMs };
  return { model, rate, ...(model === "ramp" ? { toRate } : {}), durationMs, seed };
}

/**
 * Due times in ms from the start, ascending, all below `durationMs`. Poisson arrivals have
 * exponential gaps, so requests collide and queue as those of independent clients do; constant ones
 * do not. A ramp inverts the integrated rate of a unit-rate process (Lewis and Shedler 1979). The
 * same seed gives the same times.
 */
export function dueTimes({
  model,
  rate,
  toRate = rate,
  durationMs,
  seed = 1,
}: Arrivals): Float64Array {
  if (!(rate > 0) || !(toRate > 0)) throw new RangeError("Rates must be above 0");
  if (model === "constant") {
    const count = Math.floor((durationMs * rate) / 1000);
    return Float64Array.from({ length: count }, (_, n) => (n * 1000) / rate);
  }
  const random = mulberry32(seed);
  const durationS = durationMs / 1000;
  const slope = (toRate - rate) / durationS;
  const times: number[] = [];
  for (let events = 0; ; ) {
    events -= Math.log(1 - random());
    // Events expected by t: rate · t + slope · t² / 2.
    const atS =
      slope === 0 ? events / rate : (Math.sqrt(rate * rate + 2 * slope * events) - rate) / slope;
    if (!(atS < durationS)) return Float64Array.from(times);
    times.push(atS * 1000);
  }
}
