import { median, mulberry32, ratioOfPairs } from "../figures/statistics.ts";
import type { Scenario } from "../suites/scenario.ts";
import { type Contender, openPairTestBed } from "../testbed/pair-testbed.ts";
import type { Costs, Metric } from "./costs.ts";
import { decide, INTERIM_ANALYSES, overall, type Verdict, withMean } from "./decision.ts";
import { isRead, measureInterleaved } from "./interleaved.ts";
import { measureInTurn } from "./sequential.ts";

export type Plan = {
  before: Contender;
  after: Contender;
  scenarios: Scenario[];
  mode: "interleaved" | "sequential";
  /** A difference of less than this share is none: 0.02 is two percent. */
  zone: number;
  /** The last of `INTERIM_ANALYSES` that is taken. */
  mostPairs: number;
  /** Of each order within a pair. */
  seed: number;
  /** Length of a run; and, sequential only, requests a second. */
  runMs: number;
  rate: number;
};

/**
 * What was found out about one operation (or `all`, their geometric mean) in one metric: after /
 * before.
 */
export type Finding = {
  operation: string;
  metric: Metric;
  before: number;
  after: number;
  ratio: number;
  /**
   * The median ratio's 95 % bootstrap interval: how exactly it is known. The verdict is the exact
   * test's.
   */
  low: number;
  high: number;
  verdict: Verdict;
};

export type SessionResult = {
  verdict: Verdict;
  findings: Finding[];
  /** Of each pair and operation, in the order of the scenarios. */
  pairs: Costs[][];
  lastedS: number;
};

/**
 * Compares two versions in pairs of fresh processes until it is decided whether the later one costs
 * more, looking only when there are as many pairs as `INTERIM_ANALYSES` says. `onPair` hears of each that is
 * over.
 */
export async function runSession(
  plan: Plan,
  onPair: (pairs: number) => void = () => {},
): Promise<SessionResult> {
  const startedMs = performance.now();
  const testBed = await openPairTestBed(plan.before, plan.after);
  try {
    const random = mulberry32(plan.seed);
    const pairs: Costs[][] = [];
    for (;;) {
      const restoresData = pairs.length > 0 && !plan.scenarios.every(isRead);
      pairs.push(
        await measurePair(plan, random, (isAfterFirst) =>
          testBed.openPair({ isAfterFirst, restoresData }),
        ),
      );
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

type OpenPair = (
  isAfterFirst: boolean,
) => ReturnType<Awaited<ReturnType<typeof openPairTestBed>>["openPair"]>;

/**
 * One run of each operation on each side, by processes that are started for it and ended after it.
 */
async function measurePair(plan: Plan, random: () => number, openPair: OpenPair): Promise<Costs[]> {
  const pair = await openPair(random() < 0.5);
  try {
    const costs: Costs[] = [];
    for (const scenario of plan.scenarios) {
      const isAfterFirst = random() < 0.5;
      const measure = plan.mode === "interleaved" ? measureInterleaved : measureInTurn;
      costs.push(await measure(pair, scenario, { ...plan, isAfterFirst }));
    }
    return costs;
  } finally {
    await pair.close();
  }
}

/** What the pairs say. */
function findingsOf(
  { scenarios, mode, zone }: Pick<Plan, "scenarios" | "mode" | "zone">,
  pairs: Costs[][],
  isLast: boolean,
): Finding[] {
  const metrics: Metric[] = mode === "interleaved" ? ["cpuUs"] : ["cpuUs", "p50Ms", "p90Ms"];
  const series = metrics.flatMap((metric) => {
    const ofOperations = scenarios.map(({ operation }, at) => ({
      name: `${operation} ${metric}`,
      logRatios: pairs.map((costs) => logRatio(costs[at] as Costs, metric)),
    }));
    return withMean(ofOperations).map((one) => ({ ...one, metric }));
  });
  return decide(series, zone, isLast).map(({ logRatios, verdict }, at) => {
    const place = at % (series.length / metrics.length);
    const metric = series[at]?.metric as Metric;
    const middle = (side: keyof Costs) =>
      median(pairs.map((costs) => costs[place]?.[side][metric] ?? Number.NaN));
    const estimate = ratioOfPairs(logRatios.map((log) => ({ a: Math.exp(log), b: 1 })));
    const operation = scenarios[place]?.operation ?? "all";
    const { median: ratio, low, high } = estimate;
    return {
      operation,
      metric,
      before: middle("before"),
      after: middle("after"),
      ratio,
      low,
      high,
      verdict,
    };
  });
}

const logRatio = ({ before, after }: Costs, metric: Metric) =>
  Math.log((after[metric] as number) / (before[metric] as number));
