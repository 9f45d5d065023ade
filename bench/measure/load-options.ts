import type { ArrivalModel } from "../load/arrivals.ts";
import type { RunsPlan } from "../load/runs.ts";
import type { LoadScenario } from "../suites/scenario.ts";

/** Command-line options of a load. */
export type LoadOptions = {
  /** Requests a second; the initial rate of a ramp. */
  rate: number;
  toRate?: number;
  model: ArrivalModel;
  /** Length and number of the runs. */
  seconds: number;
  runs: number;
  warmUpS: { min: number; max: number };
  /** The size of the wave; the scenario's by default. */
  wave?: number;
};

/**
 * A scenario's load. `offered` is requests per second on average; `people` is the size of the wave,
 * each on a connection of their own.
 */
export type LoadPlan = {
  plan: Pick<RunsPlan, "load" | "startOf" | "warmUpRate" | "warmUpS" | "runs" | "seconds">;
  request: LoadScenario["request"];
  requests: number;
  offered: number;
  isClosed: boolean;
  people: number;
};
