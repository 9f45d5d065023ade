import { mulberry32 } from "../figures/statistics.ts";
import { dueTimes } from "../load/arrivals.ts";
import { PRELUDE_MS, requestsOf } from "../load/runs.ts";
import type { LoadScenario, Wave } from "../suites/scenario.ts";
import type { LoadOptions, LoadPlan } from "./load-options.ts";

/** A run's requests by when they are due, and which of them are the wave's. */
type Merged = { dueMs: number[]; isOfWave: boolean[] };

/**
 * Usual requests as Poisson arrivals at `rate`, in the warm-up and in all runs, and once in each
 * run those of the wave. Each run is another for its seed, and the same in every session.
 */
export function wavePlan(scenario: LoadScenario, wave: Wave, options: LoadOptions): LoadPlan {
  const { rate, warmUpS, runs, seconds } = options;
  const people = options.wave ?? wave.people;
  const merged = Array.from({ length: runs }, (_, run) =>
    mergedOf(rate, { ...wave, people }, PRELUDE_MS + seconds * 1000, run + 1),
  );
  const warmUp = requestsOf(rate, warmUpS.most, 0, 0);
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
      ...{ warmUpRate: rate, warmUpS, runs, seconds },
    },
    request: (fixtures, n) =>
      isOfWave[n] ? wave.request(fixtures, n) : scenario.request(fixtures, n),
    requests: startOf(runs),
    offered: rate + people / seconds,
    isClosed: false,
    people,
  };
}

function mergedOf(
  rate: number,
  { people, fromMs, withinMs }: Wave,
  durationMs: number,
  seed: number,
): Merged {
  const random = mulberry32(seed);
  const usual = [...dueTimes({ model: "poisson", rate, durationMs, seed })];
  const ofWave = Array.from({ length: people }, () => PRELUDE_MS + fromMs + random() * withinMs);
  const all = [
    ...usual.map((dueMs) => ({ dueMs, isOfWave: false })),
    ...ofWave.map((dueMs) => ({ dueMs, isOfWave: true })),
  ].sort((a, b) => a.dueMs - b.dueMs);
  return { dueMs: all.map(({ dueMs }) => dueMs), isOfWave: all.map((one) => one.isOfWave) };
}
