import { type ArrivalModel, arrivalsOf } from "../load/arrivals.ts";
import { type RunsPlan, requestsOf } from "../load/runs.ts";
import type { LoadScenario } from "../suites/load-scenario.ts";

/** What a person may choose of how scenarios are put under load. */
export type LoadOptions = {
  /** Requests a second; of a ramp, at its beginning. */
  rate: number;
  toRate?: number;
  model: ArrivalModel;
  /** Of each run, and how many of them there are. */
  seconds: number;
  runs: number;
  warmUpS: { least: number; most: number };
};

/** Short enough that ten scenarios take less than six minutes. */
export const USUAL_RUN = { rate: 100, model: "poisson", seconds: 6, runs: 3, warmUpS: { least: 5, most: 10 } } as const;

/** How a scenario is put under load, and how many requests that needs. `offered` is requests a second, on average. */
export type LoadPlanOf = {
  plan: Pick<RunsPlan, "load" | "startOf" | "warmUpRate" | "warmUpS" | "runs" | "seconds">;
  requests: number;
  offered: number;
  isClosed: boolean;
};

/** As `options` say, unless the scenario is about how requests come: then `rate` is what it rises to, or nothing at all. */
export function loadPlanOf({ load, dueMs }: LoadScenario, options: LoadOptions): LoadPlanOf {
  if (dueMs) return replayPlan(dueMs, options);
  const { warmUpS, runs, seconds } = options;
  const model = load?.model ?? options.model;
  const rate = load ? options.rate * load.fromShare : options.rate;
  const toRate = load ? options.rate : model === "ramp" ? (options.toRate ?? rate * 2) : rate;
  return {
    plan: {
      load: (durationMs, seed) => arrivalsOf({ model, rate, toRate, durationMs, seed }),
      ...{ warmUpRate: rate, warmUpS, runs, seconds },
    },
    requests: requestsOf(Math.max(rate, toRate), warmUpS.most, runs, seconds),
    offered: (rate + toRate) / 2,
    isClosed: model === "closed",
  };
}

/** The warm-up has the trace's requests too, and each run begins with its first. */
function replayPlan(dueMs: number[], { warmUpS, runs }: LoadOptions): LoadPlanOf {
  const lastedS = Math.max((dueMs.at(-1) ?? 0) / 1000, 0.001);
  const rate = dueMs.length / lastedS;
  const rounds = Math.ceil(requestsOf(rate, warmUpS.most, 0, 0) / dueMs.length);
  return {
    plan: {
      load: () => ({ model: "replay", dueMs }),
      startOf: (run) => (rounds + run) * dueMs.length,
      ...{ warmUpRate: rate, warmUpS, runs, seconds: Math.max(lastedS - 1, 0.001) },
    },
    requests: (rounds + runs) * dueMs.length,
    offered: rate,
    isClosed: false,
  };
}
