import type { Verdict } from "./decision.ts";

/** What a tier of the gate says: whether a change may go in as far as it can tell, and why. */
export type TierResult = { tier: Tier; verdict: "pass" | "fail" | "inconclusive"; why: string[] };

export const TIERS = ["counts", "cpu", "latency"] as const;
export type Tier = (typeof TIERS)[number];

/**
 * Few enough to be asked before every merge, and of every sort: remembered, read, computed,
 * written.
 */
export const GATED = ["AccountProfile", "ListExercises", "GetWorkout", "GetRecords", "LogSet"];

/** 0: every tier passes. 1: one fails. 2: none fails, and of one nobody knows. */
export function exitCodeOf(results: readonly TierResult[]): 0 | 1 | 2 {
  if (results.some(({ verdict }) => verdict === "fail")) return 1;
  return results.every(({ verdict }) => verdict === "pass") ? 0 : 2;
}

/** What a comparison of versions means for the one that is to go in. */
export const meaningOf = (verdict: Verdict): TierResult["verdict"] =>
  verdict === "slower" ? "fail" : verdict === "inconclusive" ? "inconclusive" : "pass";

export function tierLines(results: readonly TierResult[]): string {
  return results
    .map(
      ({ tier, verdict, why }) =>
        `${tier.padEnd(8)} ${verdict.padEnd(13)} ${why.join(`\n${" ".repeat(23)}`)}`,
    )
    .join("\n");
}
