import { git } from "../testbed/checkout.ts";
import { type AbOptions, compareVersions } from "./ab.ts";
import { gateLatency } from "./latency.ts";
import { runBench } from "./run-bench.ts";
import type { Finding } from "./session.ts";
import { GATED, meaningOf, type Tier, type TierResult } from "./tiers.ts";

export type AdmissionOptions = { tiers: Tier[]; base: string; ab: AbOptions };

/**
 * Asks the tiers one after the other, cheapest first, and goes on after one that fails: each says
 * something else.
 */
export async function runGate(
  { tiers, base, ab }: AdmissionOptions,
  onStep: (step: string) => void,
): Promise<TierResult[]> {
  const ask: Record<Tier, () => Promise<TierResult>> = {
    counts: gateCounts,
    cpu: () => gateCpu(base, ab),
    latency: () => gateLatency(onStep),
  };
  const results: TierResult[] = [];
  for (const tier of tiers) {
    onStep(tier);
    results.push(await ask[tier]());
  }
  return results;
}

/** Statements and flushes of every operation, which are the same on any machine. */
async function gateCounts(): Promise<TierResult> {
  const { exitCode, said } = await runBench(["counts"], [0, 1]);
  const lines = said.trim().split("\n").slice(1);
  if (exitCode === 0)
    return { tier: "counts", verdict: "pass", why: [`${lines.length} operations`] };
  return {
    tier: "counts",
    verdict: "fail",
    why: lines.filter((line) => line.includes(" was ")).map(changeIn),
  };
}

/**
 * A line of the table of counts begins with the operation, its statements and its flushes, and ends
 * with what they were.
 */
export function changeIn(line: string): string {
  const [operation, statements, flushes] = line.trim().split(/ +/);
  const was = line.slice(line.indexOf(" was ") + " was ".length);
  return `${operation}: ${statements} statements and ${flushes} flushes, was ${was}`;
}

/** The tree as it stands beside where it came from. */
async function gateCpu(base: string, options: AbOptions): Promise<TierResult> {
  const { verdict, findings, before, pairs } = await compareVersions([base, "."], GATED, options);
  const why = [`beside ${before}, ${pairs.length} pairs`, ...findings.map(lineOf)];
  return { tier: "cpu", verdict: meaningOf(verdict), why };
}

const lineOf = ({ operation, ratio, low, high, verdict }: Finding) =>
  `${operation.padEnd(16)} ${ratio.toFixed(3)} [${low.toFixed(3)}, ${high.toFixed(3)}] ${verdict}`;

/**
 * What the tree is measured against unless somebody says: where its branch left main; on main, the
 * last commit when there are edits, else the one before.
 */
export function usualBase(): string {
  const head = git("rev-parse", "HEAD");
  const fork = git("merge-base", "main", "HEAD") || git("merge-base", "origin/main", "HEAD");
  if (fork !== "" && fork !== head) return fork;
  return git("status", "--porcelain") === "" ? "HEAD~1" : "HEAD";
}
