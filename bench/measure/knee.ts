import { OperatorError } from "#lib/errors.ts";
import type { LoadFigures } from "../load/recording.ts";

/** A service-level objective: a figure of the response times and its maximum in ms. */
export type Objective = { figure: "mean" | "p50" | "p90" | "p99"; mostMs: number };

const SHARES = { p50: 0.5, p90: 0.9, p99: 0.99 } as const;

/** Parses an objective such as `p99=50ms`. Throws OperatorError. */
export function parseObjective(text: string): Objective {
  const [, figure, ms] = /^(mean|p50|p90|p99)=(\d+(?:\.\d+)?)(?:ms)?$/.exec(text.trim()) ?? [];
  if (!figure || !(Number(ms) > 0)) {
    throw new OperatorError(
      "--slo takes mean, p50, p90 or p99, and the most ms of it: p99=50ms",
      2,
    );
  }
  return { figure: figure as Objective["figure"], mostMs: Number(ms) };
}

/** The objective's figure in ms; undefined if there were too few answers for it. */
export const figureOf = (
  { figure }: Objective,
  { responseMs }: Pick<LoadFigures, "responseMs">,
): number | undefined =>
  figure === "mean" ? responseMs.mean : responseMs.percentiles[SHARES[figure]];

/** The answers that a run needs for the figure: slightly more than ten beyond a percentile. */
export const answersFor = ({ figure }: Objective): number =>
  figure === "mean" ? 200 : Math.ceil(11 / (1 - SHARES[figure]));

export type Attempt = { rate: number; isWithin: boolean };

/**
 * The bounds of a search, in requests per second. It ends when two neighbouring rates differ by at
 * most the factor `precision`.
 */
export type Search = { from: number; max: number; precision: number };

const MIN_RATE = 1;

/**
 * The next rate to try, or undefined when the knee is found: doubles until a rate misses the
 * objective, or halves until one meets it, then takes the geometric mean of the two. Rates above
 * one that missed the objective are ignored.
 */
export function nextRate(
  attempts: Attempt[],
  { from, max, precision }: Search,
): number | undefined {
  if (attempts.length === 0) return from;
  const beyond = Math.min(...attempts.filter(({ isWithin }) => !isWithin).map(({ rate }) => rate));
  const within = highestWithin(attempts);
  if (within === undefined) return beyond / 2 >= MIN_RATE ? beyond / 2 : undefined;
  if (beyond === Number.POSITIVE_INFINITY)
    return within < max ? Math.min(within * 2, max) : undefined;
  return beyond / within > precision ? Math.sqrt(within * beyond) : undefined;
}

/** The highest rate that met the objective below all that missed it; undefined if there is none. */
export function highestWithin(attempts: Attempt[]): number | undefined {
  const beyond = Math.min(...attempts.filter(({ isWithin }) => !isWithin).map(({ rate }) => rate));
  const met = attempts
    .filter(({ rate, isWithin }) => isWithin && rate < beyond)
    .map(({ rate }) => rate);
  return met.length > 0 ? Math.max(...met) : undefined;
}
