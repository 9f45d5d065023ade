import { OperatorError } from "#lib/errors.ts";
import { closedLoop } from "../load/closed-loop.ts";
import { encodeRequest } from "../load/wire.ts";
import { usedNs } from "../probes/cpu-time.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { prepareRequests, type Scenario } from "../suites/scenario.ts";
import { COMPONENTS, type Component, type RunningRequestPath } from "../testbed/request-path.ts";
import { ATHLETES } from "../testbed/shared-postgres.ts";
import type { Operation } from "./request-paths.ts";

/**
 * The cost of an operation on a request path: CPU per request in total and by component, and
 * requests per second.
 */
export type Cost = { cpuUs: number; piecesUs: Record<Component, number>; perSecond: number };

const CONNECTIONS = 16;
/**
 * A number of requests, not a time: the cost of a request falls over a worker's first thousands,
 * and a slower path would be measured earlier.
 */
const WARM_UP: Record<Operation, number> = { Ping: 3000, GetWorkout: 1500, LogSet: 300 };
const MAX_WARM_UP_S = 30;
const MAX_REQUESTS_PER_SECOND = 60_000;
/** An exercise holds at most 500 sets. */
const MAX_WRITES = ATHLETES * 350;

/** Measures an operation in a closed loop. Throws OperatorError if an answer was a failure. */
export async function measurePathCost(
  requestPath: RunningRequestPath,
  operation: Operation,
  seconds: number,
): Promise<Cost> {
  const scenario = HTTP_SCENARIOS.find((scenario) => scenario.operation === operation) as Scenario;
  // One request of each athlete, whose sets go to a workout created here.
  const requests = (await prepareRequests(requestPath.fixtureSets, scenario, ATHLETES)).map(
    encodeRequest,
  );
  const run = (runSeconds: number, maxRequests: number) =>
    closedLoop(requestPath.target, requests, CONNECTIONS, runSeconds * 1000, maxRequests);
  await run(MAX_WARM_UP_S, WARM_UP[operation] * requestPath.workers);
  const earlier = requestPath.cpuNs();
  const load = await run(
    seconds,
    operation === "LogSet" ? MAX_WRITES : seconds * MAX_REQUESTS_PER_SECOND,
  );
  const later = requestPath.cpuNs();
  if (load.failures > 0)
    throw new OperatorError(`${load.failures} of ${load.requests} answers to ${operation} failed`);
  const usedUs = (component: Component) =>
    usedNs(earlier[component], later[component]) / 1000 / load.requests;
  const piecesUs = Object.fromEntries(
    COMPONENTS.map((component) => [component, usedUs(component)]),
  ) as Record<Component, number>;
  return {
    cpuUs: COMPONENTS.reduce((sum, component) => sum + piecesUs[component], 0),
    piecesUs,
    perSecond: (load.requests / load.elapsedMs) * 1000,
  };
}
