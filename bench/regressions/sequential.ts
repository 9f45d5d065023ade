import { OperatorError } from "#lib/errors.ts";
import { figuresOf } from "../load/recording.ts";
import { runLoad } from "../load/run.ts";
import { encodeRequest } from "../load/wire.ts";
import { usedNs } from "../probes/cpu-time.ts";
import { prepareRequests, type Scenario } from "../suites/scenario.ts";
import type { Pair, Side } from "../testbed/pair-testbed.ts";
import type { PairCosts } from "./costs.ts";

const CONNECTIONS = 16;
const WARM_UP_MS = 1000;

/**
 * Measures one side after the other under Poisson arrivals at `rate` per second, which also gives
 * latency from the intended send time. On a shared machine, latency differs more between runs of
 * the same code than between most versions. Throws OperatorError if a request failed.
 */
export async function measureSequentially(
  pair: Pair,
  scenario: Scenario,
  { runMs, rate, isAfterFirst }: { runMs: number; rate: number; isAfterFirst: boolean },
): Promise<PairCosts> {
  const measure = (side: Side) => measureSide(side, scenario, runMs, rate);
  const first = await measure(isAfterFirst ? pair.after : pair.before);
  const second = await measure(isAfterFirst ? pair.before : pair.after);
  return isAfterFirst ? { before: second, after: first } : { before: first, after: second };
}

async function measureSide(side: Side, scenario: Scenario, runMs: number, rate: number) {
  const durationMs = WARM_UP_MS + runMs;
  const count = Math.ceil((rate * durationMs * 1.3) / 1000) + 50;
  const requests = (await prepareRequests(side.fixtureSets, scenario, count)).map(encodeRequest);
  const before = await side.cpuNs();
  const { recording } = await runLoad({
    target: { unix: side.server.socketPath },
    requests,
    connections: CONNECTIONS,
    load: { model: "poisson", rate, durationMs, seed: 1 },
  });
  const usedUs = usedNs(before, await side.cpuNs()) / 1000;
  const { failures, responseMs } = figuresOf(recording, WARM_UP_MS);
  if (failures > 0) throw new OperatorError(`${failures} requests of ${scenario.operation} failed`);
  const { 0.5: p50Ms, 0.9: p90Ms } = responseMs.percentiles;
  if (p50Ms === undefined || p90Ms === undefined) {
    throw new OperatorError(
      "Too few requests for a 90th percentile: increase --seconds or --rate",
      2,
    );
  }
  return { cpuUs: usedUs / recording.due.length, p50Ms, p90Ms };
}
