import type { ArrivalModel } from "../load/arrivals.ts";
import type { RunsPlan } from "../load/runs.ts";
import type { LoadScenario } from "../suites/scenario.ts";

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
  /** How many come at once, where a scenario has a wave; as many as it says unless given. */
  wave?: number;
};

/**
 * How a scenario is put under load, how many requests that needs, and which is the n-th. `offered`
 * is requests a second, on average; `people` come at once beside them, each on a connection of
 * their own.
 */
export type LoadPlan = {
  plan: Pick<RunsPlan, "load" | "startOf" | "warmUpRate" | "warmUpS" | "runs" | "seconds">;
  request: LoadScenario["request"];
  requests: number;
  offered: number;
  isClosed: boolean;
  people: number;
};
