import { mulberry32 } from "../figures/statistics.ts";
import { dueTimes } from "../load/arrivals.ts";
import { maxRequestsOf, PRELUDE_MS } from "../load/runs.ts";
import type { LoadScenario, Wave } from "../suites/scenario.ts";
import type { LoadOptions, LoadPlan } from "./load-options.ts";

/** When a run's requests are due, and which belong to the wave. */
type MergedLoad = { dueMs: number[]; isOfWave: boolean[] };

/**
 * A load of Poisson arrivals at `rate` in the warm-up and in all runs, with one wave in each run.
 * Each run has its own seed, the same in every session.
 */
export function wavePlan(scenario: LoadScenario, wave: Wave, options: LoadOptions): LoadPlan {
  const { rate, warmUpS, runs, seconds } = options;
  const people = options.wave ?? wave.people;
  const merged = Array.from({ length: runs }, (_, run) =>
    mergeWave(rate, { ...wave, people }, PRELUDE_MS + seconds * 1000, run + 1),
  );
  const warmUp = maxRequestsOf(rate, warmUpS.max, 0, 0);
  const isOfWave = [
    ...Array<boolean>(warmUp).fill(false),
    ...merged.flatMap((run) => run.isOfWave),
  ];
  const startOf = (run: number) =>
    merged.slice(0, run).reduce((sum, { dueMs }) => sum + dueMs.length, warmUp);
  return {
    plan: {
      load: (_durationMs, seed) => ({ model: "replay", dueMs: merged[seed - 1]?.dueMs ?? [] }),
      startOf,
      warmUpRate: rate,
      warmUpS,
      runs,
      seconds,
    },
    request: (fixtures, n) =>
      isOfWave[n] ? wave.request(fixtures, n) : scenario.request(fixtures, n),
    requests: startOf(runs),
    offered: rate + people / seconds,
    isClosed: false,
    people,
  };
}

function mergeWave(
  rate: number,
  { people, fromMs, withinMs }: Wave,
  durationMs: number,
  seed: number,
): MergedLoad {
  const random = mulberry32(seed);
  const usual = [...dueTimes({ model: "poisson", rate, durationMs, seed })];
  const ofWave = Array.from({ length: people }, () => PRELUDE_MS + fromMs + random() * withinMs);
  const requests = [
    ...usual.map((dueMs) => ({ dueMs, isOfWave: false })),
    ...ofWave.map((dueMs) => ({ dueMs, isOfWave: true })),
  ].sort((a, b) => a.dueMs - b.dueMs);
  return {
    dueMs: requests.map(({ dueMs }) => dueMs),
    isOfWave: requests.map(({ isOfWave }) => isOfWave),
  };
}
