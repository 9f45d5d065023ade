import { arrivalsOf } from "../load/arrivals.ts";
import { maxRequestsOf } from "../load/runs.ts";
import type { LoadScenario } from "../suites/scenario.ts";
import type { LoadOptions, LoadPlan } from "./load-options.ts";
import { wavePlan } from "./wave-plan.ts";

/** Short enough for ten scenarios in six minutes. */
export const DEFAULT_RUN = {
  rate: 100,
  model: "poisson",
  seconds: 6,
  runs: 3,
  warmUpS: { min: 5, max: 10 },
} as const;

/** The load that `options` describe, unless the scenario has a trace or a wave. */
export function loadPlanOf(scenario: LoadScenario, options: LoadOptions): LoadPlan {
  const { dueMs, wave, request } = scenario;
  if (dueMs) return replayPlan(request, dueMs, options);
  if (wave) return wavePlan(scenario, wave, options);
  const { model, rate, warmUpS, runs, seconds } = options;
  const toRate = model === "ramp" ? (options.toRate ?? rate * 2) : rate;
  return {
    plan: {
      load: (durationMs, seed) => arrivalsOf({ model, rate, toRate, durationMs, seed }),
      warmUpRate: rate,
      warmUpS,
      runs,
      seconds,
    },
    request,
    requests: maxRequestsOf(Math.max(rate, toRate), warmUpS.max, runs, seconds),
    offered: (rate + toRate) / 2,
    isClosed: model === "closed",
    people: 0,
  };
}

/** The warm-up sends the trace's requests too, and each run starts with its first. */
function replayPlan(
  request: LoadScenario["request"],
  dueMs: number[],
  { warmUpS, runs }: LoadOptions,
): LoadPlan {
  const lastedS = Math.max((dueMs.at(-1) ?? 0) / 1000, 0.001);
  const rate = dueMs.length / lastedS;
  const rounds = Math.ceil(maxRequestsOf(rate, warmUpS.max, 0, 0) / dueMs.length);
  return {
    plan: {
      load: () => ({ model: "replay", dueMs }),
      startOf: (run) => (rounds + run) * dueMs.length,
      warmUpRate: rate,
      warmUpS,
      runs,
      seconds: Math.max(lastedS - 1, 0.001),
    },
    request,
    requests: (rounds + runs) * dueMs.length,
    offered: rate,
    isClosed: false,
    people: 0,
  };
}
