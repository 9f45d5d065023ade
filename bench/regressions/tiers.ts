import type { Verdict } from "./decision.ts";

/** The verdict of one tier of the regression gate, with its reasons. */
export type TierResult = { tier: Tier; verdict: "pass" | "fail" | "inconclusive"; why: string[] };

export const TIERS = ["counts", "cpu", "latency"] as const;
export type Tier = (typeof TIERS)[number];

/** Few enough to run before every merge, and one of each kind: cached, read, computed, written. */
export const GATED = ["AccountProfile", "ListExercises", "GetWorkout", "GetRecords", "LogSet"];

/** 0: every tier passes. 1: one fails. 2: none fails, but one is inconclusive. */
export function exitCodeOf(results: readonly TierResult[]): 0 | 1 | 2 {
  if (results.some(({ verdict }) => verdict === "fail")) return 1;
  return results.every(({ verdict }) => verdict === "pass") ? 0 : 2;
}

/** The gate's verdict on a change for the outcome of comparing it with its base. */
export const gateVerdictOf = (verdict: Verdict): TierResult["verdict"] =>
  verdict === "slower" ? "fail" : verdict === "inconclusive" ? "inconclusive" : "pass";

export function tierLines(results: readonly TierResult[]): string {
  return results
    .map(
      ({ tier, verdict, why }) =>
        `${tier.padEnd(8)} ${verdict.padEnd(13)} ${why.join(`\n${" ".repeat(23)}`)}`,
    )
    .join("\n");
}
