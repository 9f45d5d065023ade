/** Ways to estimate the weight that can be lifted once from one that was lifted several times. */
export const FORMULAS = ["epley", "brzycki", "lombardi", "rpe_table"] as const;
export type Formula = (typeof FORMULAS)[number];

/** Beyond this many repetitions endurance decides, and none of the formulas was meant for it. */
export const MAX_REPS = 12;

/** Below this rate of perceived exertion the table says nothing: nobody can tell. */
export const MIN_RPE = 6;

/**
 * Percent of the one-repetition maximum by how many half repetitions a set is away from it: (reps −
 * 1) · 2 for the repetitions done, (10 − RPE) · 2 for those left. M. Tuchscherer, The Reactive
 * Training Manual, Reactive Training Systems, 2008.
 */
export const RPE_PERCENT = [
  100, 97.8, 95.5, 93.9, 92.2, 90.7, 89.2, 87.8, 86.3, 85, 83.7, 82.4, 81.1, 79.9, 78.6, 77.4, 76.2,
  75.1, 73.9, 72.3, 70.7, 69.4, 68, 66.7, 65.3, 64, 62.6, 61.3, 59.9, 58.6, 57.4,
] as const;

/** A set of `reps` repetitions. RPE counts before repetitions in reserve, which are 10 − RPE. */
export type Effort = { rpe?: number | null; rir?: number | null };

/**
 * The one-repetition maximum in the unit of `weight` (> 0), estimated from a set of `reps`
 * repetitions. Null outside 1 to 12 repetitions; by `rpe_table` also without an RPE from 6 to 10.
 * By the others one repetition is its own maximum.
 *
 * - Epley: w (1 + r / 30). B. Epley, Poundage Chart, Boyd Epley Workout, 1985.
 * - Brzycki: w · 36 / (37 − r). M. Brzycki, Strength Testing: Predicting a One-Rep Max from Reps-to-Fatigue, Journal of
 *   Physical Education, Recreation & Dance 64(1), 1993.
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
  if (formula === "rpe_table") return byTable(weight, reps, effort);
  if (reps === 1) return weight;
  if (formula === "epley") return weight * (1 + reps / 30);
  if (formula === "brzycki") return (weight * 36) / (37 - reps);
  return weight * reps ** 0.1;
}

function byTable(weight: number, reps: number, { rpe, rir }: Effort): number | null {
  const perceived = rpe ?? (rir === undefined || rir === null ? null : 10 - rir);
  if (perceived === null || perceived < MIN_RPE) return null;
  const percent = RPE_PERCENT[(reps - 1) * 2 + (10 - perceived) * 2];
  return percent === undefined ? null : (weight * 100) / percent;
}
