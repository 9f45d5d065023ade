import type { TraceLine } from "../load/trace.ts";
import { HTTP_SCENARIOS } from "./http.ts";
import type { LoadScenario } from "./scenario.ts";

/**
 * Replays a recorded load: the same operations at the same times by as many accounts, with new
 * requests.
 */
export function replayOf(trace: TraceLine[]): LoadScenario {
  const line = (n: number) => trace[n % trace.length] as TraceLine;
  const scenarios = new Map(HTTP_SCENARIOS.map((scenario) => [scenario.operation, scenario]));
  return {
    operation: "replay",
    people: trace.reduce((most, { person }) => Math.max(most, person), 0) + 1,
    personOf: (n) => line(n).person,
    request: async (fixtures, n) => {
      const { operation } = line(n);
      const recorded = await scenarios.get(operation)?.request(fixtures, n);
      if (!recorded) throw new Error(`There is no operation ${operation}`);
      return { ...recorded, operation };
    },
    dueMs: trace.map(({ dueMs }) => dueMs),
  };
}
