/** Ways to estimate the weight that can be lifted once from one that was lifted several times. */
export const FORMULAS = ["epley", "brzycki", "lombardi", "rpe_table"] as const;
export type Formula = (typeof FORMULAS)[number];

/** The formulas are not valid beyond this many repetitions, where endurance is the limit. */
export const MAX_REPS = 12;

/**
 * The RPE table has no values below this rate of perceived exertion: it cannot be rated reliably.
 */
export const MIN_RPE = 6;

/**
 * Percent of the one-repetition maximum, indexed by the distance of a set from it in half
 * repetitions: (reps − 1) · 2 for the repetitions done and (10 − RPE) · 2 for those in reserve. M.
 * Tuchscherer, The Reactive Training Manual, Reactive Training Systems, 2008.
 */
export const RPE_PERCENT = [
  100, 97.8, 95.5, 93.9, 92.2, 90.7, 89.2, 87.8, 86.3, 85, 83.7, 82.4, 81.1, 79.9, 78.6, 77.4, 76.2,
  75.1, 73.9, 72.3, 70.7, 69.4, 68, 66.7, 65.3, 64, 62.6, 61.3, 59.9, 58.6, 57.4,
] as const;

/** The effort of a set. RPE takes precedence over repetitions in reserve, which are 10 − RPE. */
export type Effort = { rpe?: number | null; rir?: number | null };

/**
 * Estimates the one-repetition maximum, in the unit of `weight` (> 0), from a set of `reps`
 * repetitions. Null outside 1 to 12 repetitions; for `rpe_table` also without an RPE from 6 to 10.
 * The other formulas return `weight` for one repetition.
 *
 * - Epley: w (1 + r / 30). B. Epley, Poundage Chart, Boyd Epley Workout, 1985.
 * - Brzycki: w · 36 / (37 − r). M. Brzycki, Strength Testing: Predicting a One-Rep Max from
 *   Reps-to-Fatigue, Journal of Physical Education, Recreation & Dance 64(1), 1993.
 * - Lombardi: w · r^0.1. V. P. Lombardi, Beginning Weight Training, 1989.
 * - RPE table: w / percent, see `RPE_PERCENT`.
 */
export function oneRepMax(
  formula: Formula,
  weight: number,
  reps: number,
  effort: Effort = {},
): number | null {
  if (!Number.isInteger(reps) || reps < 1 || reps > MAX_REPS) return null;
  if (formula === "rpe_table") return fromRpeTable(weight, reps, effort);
  if (reps === 1) return weight;
  if (formula === "epley") return weight * (1 + reps / 30);
  if (formula === "brzycki") return (weight * 36) / (37 - reps);
  return weight * reps ** 0.1;
}

function fromRpeTable(weight: number, reps: number, { rpe, rir }: Effort): number | null {
  const exertion = rpe ?? (rir === undefined || rir === null ? null : 10 - rir);
  if (exertion === null || exertion < MIN_RPE) return null;
  const percent = RPE_PERCENT[(reps - 1) * 2 + (10 - exertion) * 2];
  return percent === undefined ? null : (weight * 100) / percent;
}
