import { estimateText } from "../figures/statistics.ts";
import { git } from "../testbed/checkout.ts";
import { type AbOptions, compareVersions } from "./ab.ts";
import { gateLatency } from "./latency.ts";
import { runBench } from "./run-bench.ts";
import type { Finding } from "./session.ts";
import { GATED, gateVerdictOf, type Tier, type TierResult } from "./tiers.ts";

export type GateOptions = { tiers: Tier[]; base: string; ab: AbOptions };

/** Runs the tiers in the given order. A failing tier does not stop the others. */
export async function runGate(
  { tiers, base, ab }: GateOptions,
  onStep: (step: string) => void,
): Promise<TierResult[]> {
  const runTier: Record<Tier, () => Promise<TierResult>> = {
    counts: gateCounts,
    cpu: () => gateCpu(base, ab),
    latency: () => gateLatency(onStep),
  };
  const results: TierResult[] = [];
  for (const tier of tiers) {
    onStep(tier);
    results.push(await runTier[tier]());
  }
  return results;
}

/** Compares statements and flushes of every operation, which are the same on any machine. */
async function gateCounts(): Promise<TierResult> {
  const { exitCode, stdout } = await runBench(["counts"], [0, 1]);
  const lines = stdout.trim().split("\n").slice(1);
  if (exitCode === 0)
    return { tier: "counts", verdict: "pass", why: [`${lines.length} operations`] };
  return {
    tier: "counts",
    verdict: "fail",
    why: lines.filter((line) => line.includes(" was ")).map(changeIn),
  };
}

/**
 * Parses a changed line of the counts table: it begins with operation, statements and flushes and
 * ends with the previous counts.
 */
export function changeIn(line: string): string {
  const [operation, statements, flushes] = line.trim().split(/ +/);
  const was = line.slice(line.indexOf(" was ") + " was ".length);
  return `${operation}: ${statements} statements and ${flushes} flushes, was ${was}`;
}

/** Compares the CPU cost of the working tree with `base`. */
async function gateCpu(base: string, options: AbOptions): Promise<TierResult> {
  const { verdict, findings, before, pairs } = await compareVersions([base, "."], GATED, options);
  const why = [`compared with ${before}, ${pairs.length} pairs`, ...findings.map(lineOf)];
  return { tier: "cpu", verdict: gateVerdictOf(verdict), why };
}

const lineOf = ({ operation, ratio, low, high, verdict }: Finding) =>
  `${operation.padEnd(16)} ${estimateText({ median: ratio, low, high }, 3)} ${verdict}`;

/**
 * The default base: where the branch left main. On main it is the last commit if there are
 * uncommitted changes, otherwise the one before.
 */
export function defaultBase(): string {
  const head = git("rev-parse", "HEAD");
  const fork = git("merge-base", "main", "HEAD") || git("merge-base", "origin/main", "HEAD");
  if (fork !== "" && fork !== head) return fork;
  return git("status", "--porcelain") === "" ? "HEAD~1" : "HEAD";
}
