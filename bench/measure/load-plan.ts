import { arrivalsOf } from "../load/arrivals.ts";
import { requestsOf } from "../load/runs.ts";
import type { LoadScenario } from "../suites/scenario.ts";
import type { LoadOptions, LoadPlan } from "./load-options.ts";
import { wavePlan } from "./wave-plan.ts";

/** Short enough that ten scenarios take less than six minutes. */
export const USUAL_RUN = {
  rate: 100,
  model: "poisson",
  seconds: 6,
  runs: 3,
  warmUpS: { least: 5, most: 10 },
} as const;

/** As `options` say, unless the scenario is about how requests come. */
export function loadPlanOf(scenario: LoadScenario, options: LoadOptions): LoadPlan {
  const { dueMs, wave, request } = scenario;
  if (dueMs) return replayPlan(request, dueMs, options);
  if (wave) return wavePlan(scenario, wave, options);
  const { model, rate, warmUpS, runs, seconds } = options;
  const toRate = model === "ramp" ? (options.toRate ?? rate * 2) : rate;
  return {
    plan: {
      load: (durationMs, seed) => arrivalsOf({ model, rate, toRate, durationMs, seed }),
      ...{ warmUpRate: rate, warmUpS, runs, seconds },
    },
    request,
    requests: requestsOf(Math.max(rate, toRate), warmUpS.most, runs, seconds),
    offered: (rate + toRate) / 2,
    isClosed: model === "closed",
    people: 0,
  };
}

/** The warm-up has the trace's requests too, and each run begins with its first. */
function replayPlan(
  request: LoadScenario["request"],
  dueMs: number[],
  { warmUpS, runs }: LoadOptions,
): LoadPlan {
  const lastedS = Math.max((dueMs.at(-1) ?? 0) / 1000, 0.001);
  const rate = dueMs.length / lastedS;
  const rounds = Math.ceil(requestsOf(rate, warmUpS.most, 0, 0) / dueMs.length);
  return {
    plan: {
      load: () => ({ model: "replay", dueMs }),
      startOf: (run) => (rounds + run) * dueMs.length,
      ...{ warmUpRate: rate, warmUpS, runs, seconds: Math.max(lastedS - 1, 0.001) },
    },
    request,
    requests: (rounds + runs) * dueMs.length,
    offered: rate,
    isClosed: false,
    people: 0,
  };
}
