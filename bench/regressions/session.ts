import { median, mulberry32, ratioOfPairs } from "../figures/statistics.ts";
import type { Scenario } from "../suites/scenario.ts";
import { type Contender, openPairTestBed, type Pair } from "../testbed/pair-testbed.ts";
import type { Metric, PairCosts } from "./costs.ts";
import { decide, INTERIM_ANALYSES, overall, type Verdict, withGeometricMean } from "./decision.ts";
import { isRead, measureInterleaved } from "./interleaved.ts";
import { measureSequentially } from "./sequential.ts";

export type Plan = {
  before: Contender;
  after: Contender;
  scenarios: Scenario[];
  mode: "interleaved" | "sequential";
  /** Relative differences below this count as equal: 0.02 is 2 %. */
  zone: number;
  /** The final analysis, one of `INTERIM_ANALYSES`. */
  mostPairs: number;
  /** Seeds the order within each pair. */
  seed: number;
  runMs: number;
  /** Requests per second; in sequential mode only. */
  rate: number;
};

/** The ratio after / before of one operation (or `all`, the geometric mean) in one metric. */
export type Finding = {
  operation: string;
  metric: Metric;
  before: number;
  after: number;
  ratio: number;
  /** The 95 % bootstrap interval of the ratio. The verdict comes from the sign test instead. */
  low: number;
  high: number;
  verdict: Verdict;
};

export type SessionResult = {
  verdict: Verdict;
  findings: Finding[];
  /** By pair, then by operation in the order of the scenarios. */
  pairs: PairCosts[][];
  lastedS: number;
};

/**
 * Compares two versions in pairs of fresh processes until an interim analysis is conclusive or
 * `mostPairs` is reached. Calls `onPair` after each pair.
 */
export async function runSession(
  plan: Plan,
  onPair: (pairs: number) => void = () => {},
): Promise<SessionResult> {
  const startedMs = performance.now();
  const testBed = await openPairTestBed(plan.before, plan.after);
  try {
    const random = mulberry32(plan.seed);
    const pairs: PairCosts[][] = [];
    for (;;) {
      const restoresData = pairs.length > 0 && !plan.scenarios.every(isRead);
      const pair = await testBed.openPair({ isAfterFirst: random() < 0.5, restoresData });
      pairs.push(await measurePair(plan, random, pair));
      onPair(pairs.length);
      if (!INTERIM_ANALYSES.includes(pairs.length)) continue;
      const isLast = pairs.length >= plan.mostPairs;
      const findings = findingsOf(plan, pairs, isLast);
      const verdict = overall(findings);
      if (isLast || verdict !== "inconclusive") {
        return { verdict, findings, pairs, lastedS: (performance.now() - startedMs) / 1000 };
      }
    }
  } finally {
    await testBed.close();
  }
}

/** Runs each operation once on each side, then stops the servers of the pair. */
async function measurePair(plan: Plan, random: () => number, pair: Pair): Promise<PairCosts[]> {
  try {
    const costs: PairCosts[] = [];
    for (const scenario of plan.scenarios) {
      const isAfterFirst = random() < 0.5;
      const measure = plan.mode === "interleaved" ? measureInterleaved : measureSequentially;
      costs.push(await measure(pair, scenario, { ...plan, isAfterFirst }));
    }
    return costs;
  } finally {
    await pair.close();
  }
}

function findingsOf(
  { scenarios, mode, zone }: Pick<Plan, "scenarios" | "mode" | "zone">,
  pairs: PairCosts[][],
  isLast: boolean,
): Finding[] {
  const metrics: Metric[] = mode === "interleaved" ? ["cpuUs"] : ["cpuUs", "p50Ms", "p90Ms"];
  const series = metrics.flatMap((metric) => {
    const ofOperations = scenarios.map(({ operation }, n) => ({
      name: `${operation} ${metric}`,
      logRatios: pairs.map((costs) => logRatio(costs[n] as PairCosts, metric)),
    }));
    return withGeometricMean(ofOperations).map((each) => ({ ...each, metric }));
  });
  return decide(series, zone, isLast).map(({ logRatios, verdict }, n) => {
    const index = n % (series.length / metrics.length);
    const metric = series[n]?.metric as Metric;
    const medianOf = (side: keyof PairCosts) =>
      median(pairs.map((costs) => costs[index]?.[side][metric] ?? Number.NaN));
    const ratios = logRatios.map((log) => ({ a: Math.exp(log), b: 1 }));
    const { median: ratio, low, high } = ratioOfPairs(ratios);
    return {
      operation: scenarios[index]?.operation ?? "all",
      metric,
      before: medianOf("before"),
      after: medianOf("after"),
      ratio,
      low,
      high,
      verdict,
    };
  });
}

const logRatio = ({ before, after }: PairCosts, metric: Metric) =>
  Math.log((after[metric] as number) / (before[metric] as number));
