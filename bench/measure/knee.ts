import { OperatorError } from "#lib/errors.ts";
import type { LoadFigures } from "../load/recording.ts";

/** What responses must keep to: a figure of them, and the most ms that it may have. */
export type Objective = { figure: "mean" | "p50" | "p90" | "p99"; mostMs: number };

const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

/** An objective as people write it: `p99=50ms`. Throws OperatorError. */
export function readObjective(text: string): Objective {
  const [, figure, ms] = /^(mean|p50|p90|p99)=(\d+(?:\.\d+)?)(?:ms)?$/.exec(text.trim()) ?? [];
  if (!figure || !(Number(ms) > 0)) {
    throw new OperatorError(
      "--slo takes mean, p50, p90 or p99, and the most ms of it: p99=50ms",
      2,
    );
  }
  return { figure: figure as Objective["figure"], mostMs: Number(ms) };
}

/**
 * The figure that an objective is about, in ms; undefined when there were too few answers for it.
 */
export const figureOf = (
  { figure }: Objective,
  { responseMs }: Pick<LoadFigures, "responseMs">,
): number | undefined =>
  figure === "mean" ? responseMs.mean : responseMs.percentiles[SHARES[figure]];

/** How many answers a run needs for the figure: ten beyond a percentile, and some to spare. */
export const answersFor = ({ figure }: Objective): number =>
  figure === "mean" ? 200 : Math.ceil(11 / (1 - SHARES[figure]));

export type Tried = { rate: number; isWithin: boolean };

/**
 * What bounds a search, in requests a second; it ends when two neighbours are `precision` apart, as
 * a ratio.
 */
export type Search = { from: number; most: number; precision: number };

const MIN_RATE = 1;

/**
 * The rate to try next, or undefined when the knee is found: twice the greatest that was kept to
 * until one is not, or half the least that was not until one is; then between the two, in the
 * middle of their logarithms. A rate beyond one that was not kept to is not believed, whatever
 * became of it.
 */
export function nextRate(tried: Tried[], { from, most, precision }: Search): number | undefined {
  if (tried.length === 0) return from;
  const beyond = Math.min(...tried.filter(({ isWithin }) => !isWithin).map(({ rate }) => rate));
  const within = greatestWithin(tried);
  if (within === undefined) return beyond / 2 >= MIN_RATE ? beyond / 2 : undefined;
  if (beyond === Number.POSITIVE_INFINITY)
    return within < most ? Math.min(within * 2, most) : undefined;
  return beyond / within > precision ? Math.sqrt(within * beyond) : undefined;
}

/** The greatest rate that was kept to, below each that was not; undefined when there is none. */
export function greatestWithin(tried: Tried[]): number | undefined {
  const beyond = Math.min(...tried.filter(({ isWithin }) => !isWithin).map(({ rate }) => rate));
  const kept = tried
    .filter(({ rate, isWithin }) => isWithin && rate < beyond)
    .map(({ rate }) => rate);
  return kept.length > 0 ? Math.max(...kept) : undefined;
}
