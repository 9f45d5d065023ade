import { OperatorError } from "#lib/errors.ts";
import openapi from "../../openapi.json" with { type: "json" };
import { closedLoop } from "../load/closed-loop.ts";
import { encodeRequest } from "../load/wire.ts";
import { usedNs } from "../probes/cpu-time.ts";
import { prepareRequests, type Scenario } from "../suites/scenario.ts";
import type { Pair, Side } from "../testbed/pair-testbed.ts";
import type { Cost, PairCosts } from "./costs.ts";

/** Reads are repeated from the first; writes are all different, as most can be done only once. */
const DISTINCT_READS = 64;
const WRITES = { warmUp: 80, measured: 240 };
const MAX_WRITES_MS = 30_000;
const WARM_UP_MS = 350;
const MAX_REQUESTS_PER_SECOND = 60_000;
const CONNECTIONS = 8;

/**
 * Measures both sides at the same time on the same core, each under its own closed loop, so that
 * interference affects both alike (Bulej et al., Duet Benchmarking, ICPE 2020). Only CPU time can
 * be measured this way; latency is meaningless. Throws OperatorError if a request failed.
 */
export async function measureInterleaved(
  pair: Pair,
  scenario: Scenario,
  { runMs, isAfterFirst }: { runMs: number; isAfterFirst: boolean },
): Promise<PairCosts> {
  const sides = isAfterFirst ? [pair.after, pair.before] : [pair.before, pair.after];
  const loops = await Promise.all(sides.map((side) => prepareLoops(scenario, side, runMs)));
  await Promise.all(loops.map(({ warmUp }) => warmUp()));
  const earlier = await Promise.all(sides.map((side) => side.cpuNs()));
  const loads = await Promise.all(loops.map(({ measured }) => measured()));
  const later = await Promise.all(sides.map((side) => side.cpuNs()));
  const costs = loads.map(({ requests, failures }, n): Cost => {
    if (failures > 0)
      throw new OperatorError(
        `${failures} of ${requests} requests of ${scenario.operation} failed`,
      );
    return { cpuUs: usedNs(earlier[n] as CpuNs, later[n] as CpuNs) / 1000 / requests };
  });
  const [first, second] = costs as [Cost, Cost];
  return isAfterFirst ? { before: second, after: first } : { before: first, after: second };
}

type CpuNs = Map<string, number>;

/** Repeatable requests run for a fixed time, others until each has been sent. */
async function prepareLoops(scenario: Scenario, side: Side, runMs: number) {
  const { socketPath } = side.server;
  const isRepeatable = isRead(scenario);
  const count = isRepeatable ? DISTINCT_READS : WRITES.warmUp + WRITES.measured;
  const texts = (await prepareRequests(side.fixtureSets, scenario, count)).map(encodeRequest);
  if (isRepeatable) {
    const loop = (ms: number) => () =>
      closedLoop(socketPath, texts, CONNECTIONS, ms, (ms / 1000) * MAX_REQUESTS_PER_SECOND);
    return { warmUp: loop(WARM_UP_MS), measured: loop(runMs) };
  }
  const loop = (part: string[]) => () =>
    closedLoop(socketPath, part, CONNECTIONS, MAX_WRITES_MS, part.length);
  return {
    warmUp: loop(texts.slice(0, WRITES.warmUp)),
    measured: loop(texts.slice(WRITES.warmUp)),
  };
}

const READS = new Set(
  Object.values(openapi.paths).flatMap((methods) =>
    "get" in methods ? [methods.get.operationId] : [],
  ),
);

/** Whether the operation is a GET in openapi.json. */
export const isRead = ({ operation }: Scenario): boolean => READS.has(operation);
