import { OperatorError } from "#lib/errors.ts";
import { figuresOf } from "../load/recording.ts";
import { runLoad } from "../load/run.ts";
import { encodeRequest } from "../load/wire.ts";
import { usedNs } from "../probes/cpu-time.ts";
import { prepareRequests, type Scenario } from "../suites/scenario.ts";
import type { Pair, Side } from "../testbed/pair-testbed.ts";
import type { Costs } from "./costs.ts";

const CONNECTIONS = 16;
const WARM_UP_MS = 1000;

/**
 * One side after the other, each under Poisson arrivals at `rate` a second: also how long requests
 * waited, from when they were due. On a shared machine that differs more between two runs of the
 * same code than between most versions. Throws OperatorError when an answer was a failure.
 */
export async function measureInTurn(
  pair: Pair,
  scenario: Scenario,
  { runMs, rate, isAfterFirst }: { runMs: number; rate: number; isAfterFirst: boolean },
): Promise<Costs> {
  const costs: Partial<Costs> = {};
  for (const name of isAfterFirst
    ? (["after", "before"] as const)
    : (["before", "after"] as const)) {
    costs[name] = await measureSide(pair[name], scenario, runMs, rate);
  }
  return costs as Costs;
}

async function measureSide(side: Side, scenario: Scenario, runMs: number, rate: number) {
  const lastsMs = WARM_UP_MS + runMs;
  const count = Math.ceil((rate * lastsMs * 1.3) / 1000) + 50;
  const requests = (await prepareRequests(side.fixtureSets, scenario, count)).map(encodeRequest);
  const before = await side.cpuNs();
  const { recording } = await runLoad({
    target: { unix: side.server.socketPath },
    requests,
    connections: CONNECTIONS,
    load: { model: "poisson", rate, durationMs: lastsMs, seed: 1 },
  });
  const usedUs = usedNs(before, await side.cpuNs()) / 1000;
  const { failures, responseMs } = figuresOf(recording, WARM_UP_MS);
  if (failures > 0)
    throw new OperatorError(`${failures} answers to ${scenario.operation} were failures`);
  const { 0.5: p50Ms, 0.9: p90Ms } = responseMs.percentiles;
  if (p50Ms === undefined || p90Ms === undefined) {
    throw new OperatorError(
      "Too few requests for a 90th percentile: more --seconds, or a higher --rate",
      2,
    );
  }
  return { cpuUs: usedUs / recording.due.length, p50Ms, p90Ms };
}
