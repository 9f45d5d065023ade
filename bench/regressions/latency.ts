import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText, ratioOfSamples } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint, hostName } from "../hosts/fingerprint.ts";
import { runBench } from "./run-bench.ts";
import { GATED, type TierResult } from "./tiers.ts";

/** Median latency of each whole run in ms, by operation: the run is the sample. */
export type Baseline = {
  format: 1;
  host: Fingerprint;
  rate: number;
  seconds: number;
  p50Ms: Record<string, number[]>;
};

/** Day-to-day variation of the same code on an idle host. */
const TOLERANCE = 0.1;
const MIN_RUNS = 5;
const RATE = 100;
const SECONDS = 8;

/** The directory of the baselines and the function that measures once; tests replace both. */
type LatencyOptions = { baselines?: string; runOnce?(): Promise<Run> };

const BASELINES = join(import.meta.dir, "../baselines");

const fileOf = (host: Pick<Fingerprint, "cpu" | "cores">, baselines = BASELINES) =>
  join(baselines, slugOf(hostName(host)), "http.json");

const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

/**
 * Compares latency with the baseline committed for this host. Without a comparable baseline, or
 * with a validity warning in any run, the result is inconclusive and says why.
 */
export async function gateLatency(
  onStep: (step: string) => void,
  { baselines, runOnce }: LatencyOptions = {},
): Promise<TierResult> {
  const host = fingerprint("embedded");
  const file = fileOf(host, baselines);
  const inconclusive = (why: string[]): TierResult => ({
    tier: "latency",
    verdict: "inconclusive",
    why,
  });
  if (!existsSync(file)) {
    return inconclusive([
      `no baseline for this host (${hostName(host)}); measure one on an idle machine: ./irontrack bench gate --write-baseline`,
    ]);
  }
  const baseline = JSON.parse(readFileSync(file, "utf8")) as Baseline;
  const differences = differencesOf(baseline, host);
  if (differences.length > 0) return inconclusive(differences);
  const runs = await measureRuns(onStep, runOnce);
  if (runs.doubts.length > 0) return inconclusive(runs.doubts);
  return judge(baseline, runs.p50Ms);
}

/** The conditions in which a baseline differs from a measurement made now. */
function differencesOf({ host: then, rate, seconds }: Baseline, now: Fingerprint): string[] {
  const pairs: [string, string | number, string | number][] = [
    ["a request rate of", rate, RATE],
    ["a run length in seconds of", seconds, SECONDS],
    ["cores", then.pins, now.pins],
  ];
  return pairs
    .filter(([, was, is]) => was !== is)
    .map(
      ([condition, was, is]) =>
        `the baseline has ${condition} ${was}; now ${is}: ./irontrack bench gate --write-baseline`,
    );
}

/**
 * Measures this host's baseline and writes it for review. Returns the file, or the validity
 * warnings, in which case nothing is written.
 */
export async function writeBaseline(
  onStep: (step: string) => void,
  { baselines, runOnce }: LatencyOptions = {},
): Promise<{ file: string } | { doubts: string[] }> {
  const host = fingerprint("embedded");
  const { p50Ms, doubts } = await measureRuns(onStep, runOnce);
  if (doubts.length > 0) return { doubts };
  const file = fileOf(host, baselines);
  mkdirSync(join(file, ".."), { recursive: true });
  const baseline: Baseline = { format: 1, host, rate: RATE, seconds: SECONDS, p50Ms };
  writeFileSync(file, `${JSON.stringify(baseline, null, 2)}\n`);
  return { file };
}

/**
 * Fails if the whole interval of an operation is above the tolerance; passes if every interval ends
 * below it. The intervals are Bonferroni-corrected for the number of operations.
 */
export function judge(
  baseline: Pick<Baseline, "p50Ms" | "host">,
  p50Ms: Record<string, number[]>,
): TierResult {
  const confidence = 1 - 0.05 / Object.keys(p50Ms).length;
  const ratios = Object.entries(p50Ms).map(([operation, after]) => {
    const before = baseline.p50Ms[operation];
    return { operation, ratio: before ? ratioOfSamples(after, before, confidence) : undefined };
  });
  const why = [
    `compared with ${baseline.host.commit} of ${baseline.host.at.slice(0, 10)}`,
    ...ratios.map(
      ({ operation, ratio }) =>
        `${operation.padEnd(16)} ${ratio ? estimateText(ratio) : "not in the baseline"}`,
    ),
  ];
  const isSlower = ratios.some(({ ratio }) => ratio && ratio.low > 1 + TOLERANCE);
  const isAsFast = ratios.every(({ ratio }) => ratio && ratio.high < 1 + TOLERANCE);
  return { tier: "latency", verdict: isSlower ? "fail" : isAsFast ? "pass" : "inconclusive", why };
}

/** Repeats `bench run`, each time on a fresh test bed, until every operation has enough runs. */
async function measureRuns(onStep: (step: string) => void, runOnce = runGated) {
  const p50Ms: Record<string, number[]> = {};
  const doubts: string[] = [];
  const isEnough = () => GATED.every((operation) => (p50Ms[operation]?.length ?? 0) >= MIN_RUNS);
  for (let run = 1; !isEnough() && doubts.length === 0; run++) {
    onStep(`latency, run ${run}`);
    for (const { operation, figures, runs, doubts: warnings } of (await runOnce()).results) {
      doubts.push(...warnings.map((warning) => `run ${run}, ${operation}: ${warning}`));
      const medians = runs?.map((each) => each.p50Ms) ?? [figures.responseMs.percentiles[0.5]];
      p50Ms[operation] ??= [];
      p50Ms[operation].push(...medians.map((value) => value ?? Number.NaN));
    }
  }
  return { p50Ms, doubts };
}

/** The fields that are read from run.json; `runs` is present if one call makes several runs. */
export type Run = {
  results: {
    operation: string;
    figures: { responseMs: { percentiles: Record<string, number> } };
    runs?: { p50Ms: number | null }[];
    doubts: string[];
  }[];
};

async function runGated(): Promise<Run> {
  const directory = temporaryDirectory("gate");
  try {
    const options = ["--rate", String(RATE), "--seconds", String(SECONDS), "--out", directory];
    // 2: there are figures, and they have validity warnings.
    await runBench(["run", "http", ...GATED, ...options], [0, 2]);
    return JSON.parse(readFileSync(join(directory, "run.json"), "utf8")) as Run;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
