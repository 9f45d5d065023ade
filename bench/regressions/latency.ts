import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { type Estimate, ratioOfSamples } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint, hostName } from "../hosts/fingerprint.ts";
import { runBench } from "./run-bench.ts";
import { GATED, type TierResult } from "./tiers.ts";

/** Medians of the response times of whole runs, in ms, by operation: the run is the sample. */
export type Baseline = {
  format: 1;
  host: Fingerprint;
  rate: number;
  seconds: number;
  p50Ms: Record<string, number[]>;
};

/** Latencies of one code differ by as much from day to day on a host that does nothing else. */
const ZONE = 0.1;
const FEWEST_RUNS = 5;
const RATE = 100;
const SECONDS = 8;

/**
 * Where baselines are kept, and what runs the gated operations once; those of the laboratory unless
 * said.
 */
type LatencyOptions = { baselines?: string; runOnce?(): Promise<Run> };

const BASELINES = join(import.meta.dir, "../baselines");

const fileOf = (host: Pick<Fingerprint, "cpu" | "cores">, baselines = BASELINES) =>
  join(baselines, slugOf(hostName(host)), "http.json");

export const slugOf = (name: string): string =>
  name
    .toLowerCase()
    .replaceAll(/[^a-z0-9]+/g, "-")
    .replaceAll(/^-|-$/g, "");

/**
 * How long people wait, beside what was committed for this host: only where there is such a
 * baseline, and only when every run may be believed. Anything else is inconclusive, and says why.
 */
export async function gateLatency(
  onStep: (step: string) => void,
  { baselines, runOnce }: LatencyOptions = {},
): Promise<TierResult> {
  const host = fingerprint("embedded");
  const file = fileOf(host, baselines);
  const unknown = (why: string[]): TierResult => ({
    tier: "latency",
    verdict: "inconclusive",
    why,
  });
  if (!existsSync(file)) {
    return unknown([
      `no baseline of this host (${hostName(host)}): ./irontrack bench gate --write-baseline, where nothing else runs`,
    ]);
  }
  const baseline = JSON.parse(readFileSync(file, "utf8")) as Baseline;
  const others = differencesOf(baseline, host);
  if (others.length > 0) return unknown(others);
  const runs = await measureRuns(onStep, runOnce);
  if (runs.doubts.length > 0) return unknown(runs.doubts);
  return judge(baseline, runs.p50Ms);
}

/**
 * In what a baseline was measured otherwise than it would be now: then nothing can be said beside
 * it.
 */
function differencesOf({ host: then, rate, seconds }: Baseline, now: Fingerprint): string[] {
  const pairs: [string, string | number, string | number][] = [
    ["requests a second", rate, RATE],
    ["seconds of a run", seconds, SECONDS],
    ["cores", then.pins, now.pins],
  ];
  return pairs
    .filter(([, was, is]) => was !== is)
    .map(
      ([what, was, is]) =>
        `the baseline has other ${what} (${was}; now ${is}): ./irontrack bench gate --write-baseline`,
    );
}

/**
 * Measures this host's baseline and writes it for review. Gives the file, or why the runs are not
 * to be believed.
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
 * Fails when an operation's median is slower beyond the zone with its whole interval, corrected for
 * their number after Bonferroni; passes when every interval ends within it.
 */
export function judge(
  baseline: Pick<Baseline, "p50Ms" | "host">,
  p50Ms: Record<string, number[]>,
): TierResult {
  const confidence = 1 - 0.05 / Object.keys(p50Ms).length;
  const found = Object.entries(p50Ms).map(([operation, after]) => {
    const before = baseline.p50Ms[operation];
    return { operation, ratio: before ? ratioOfSamples(after, before, confidence) : undefined };
  });
  const why = [
    `beside ${baseline.host.commit} of ${baseline.host.at.slice(0, 10)}`,
    ...found.map(
      ({ operation, ratio }) =>
        `${operation.padEnd(16)} ${ratio ? intervalOf(ratio) : "not in the baseline"}`,
    ),
  ];
  const isSlower = found.some(({ ratio }) => ratio && ratio.low > 1 + ZONE);
  const isAsFast = found.every(({ ratio }) => ratio && ratio.high < 1 + ZONE);
  return { tier: "latency", verdict: isSlower ? "fail" : isAsFast ? "pass" : "inconclusive", why };
}

const intervalOf = ({ median, low, high }: Estimate) =>
  `${median.toFixed(2)} [${low.toFixed(2)}, ${high.toFixed(2)}]`;

/** Runs as a person would, each on a test bed of its own, until there are enough samples. */
async function measureRuns(onStep: (step: string) => void, runOnce = runGated) {
  const p50Ms: Record<string, number[]> = {};
  const doubts: string[] = [];
  const isEnough = () => GATED.every((operation) => (p50Ms[operation]?.length ?? 0) >= FEWEST_RUNS);
  for (let run = 1; !isEnough() && doubts.length === 0; run++) {
    onStep(`latency, run ${run}`);
    for (const { operation, figures, runs, doubts: of } of (await runOnce()).results) {
      doubts.push(...of.map((doubt) => `run ${run}, ${operation}: ${doubt}`));
      const found = runs?.map(({ p50Ms: middle }) => middle) ?? [
        figures.responseMs.percentiles[0.5],
      ];
      p50Ms[operation] = [
        ...(p50Ms[operation] ?? []),
        ...found.map((value) => value ?? Number.NaN),
      ];
    }
  }
  return { p50Ms, doubts };
}

/** What is read of run.json; `runs` where one call makes several. */
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
    const where = ["--rate", String(RATE), "--seconds", String(SECONDS), "--out", directory];
    // 2: there are figures, and they are not to be believed; they say why.
    await runBench(["run", "http", ...GATED, ...where], [0, 2]);
    return JSON.parse(readFileSync(join(directory, "run.json"), "utf8")) as Run;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
