/** Ways to estimate the weight that can be lifted once from one that was lifted several times. */
export const FORMULAS = ["epley", "brzycki", "lombardi"] as const;
export type Formula = (typeof FORMULAS)[number];

/** Beyond this many repetitions endurance decides, and none of the formulas was meant for it. */
export const MOST_REPS = 12;

/**
 * The one-repetition maximum in the unit of `weight` (> 0), estimated from a set of `reps` repetitions; the weight itself
 * for one repetition. Null outside 1 to 12 repetitions.
 *
 * - Epley: w (1 + r / 30). B. Epley, Poundage Chart, Boyd Epley Workout, 1985.
 * - Brzycki: w · 36 / (37 − r). M. Brzycki, Strength Testing: Predicting a One-Rep Max from Reps-to-Fatigue, Journal of
 *   Physical Education, Recreation & Dance 64(1), 1993.
 * - Lombardi: w · r^0.1. V. P. Lombardi, Beginning Weight Training, 1989.
 */
export function oneRepMax(formula: Formula, weight: number, reps: number): number | null {
  if (!Number.isInteger(reps) || reps < 1 || reps > MOST_REPS) return null;
  if (reps === 1) return weight;
  if (formula === "epley") return weight * (1 + reps / 30);
  if (formula === "brzycki") return (weight * 36) / (37 - reps);
  return weight * reps ** 0.1;
}
