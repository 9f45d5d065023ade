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
 * Of one operation on one path: CPU of all pieces for a request, of each of them, and how many
 * there were a second.
 */
export type Cost = { cpuUs: number; piecesUs: Record<Component, number>; perSecond: number };

const CONNECTIONS = 16;
/**
 * By number, not by time: what a request costs a worker falls for its first thousands, and the
 * slower of two paths would be measured earlier in its life.
 */
const WARM_UP: Record<Operation, number> = { Ping: 3000, GetWorkout: 1500, LogSet: 300 };
const MAX_WARM_UP_S = 30;
const MAX_REQUESTS_PER_SECOND = 60_000;
/** A workout is answered with at most 500 sets of an exercise. */
const MAX_WRITES = ATHLETES * 350;

/** Puts an operation under a closed loop. Throws OperatorError when an answer was a failure. */
export async function measure(
  path: RunningRequestPath,
  operation: Operation,
  seconds: number,
): Promise<Cost> {
  const scenario = HTTP_SCENARIOS.find((one) => one.operation === operation) as Scenario;
  // One request of each person: sets go to workouts of their own, which are made now.
  const requests = (await prepareRequests(path.fixtureSets, scenario, ATHLETES)).map(encodeRequest);
  const run = (s: number, maxRequests: number) =>
    closedLoop(path.target, requests, CONNECTIONS, s * 1000, maxRequests);
  await run(MAX_WARM_UP_S, WARM_UP[operation] * path.workers);
  const earlier = path.cpuNs();
  const load = await run(
    seconds,
    operation === "LogSet" ? MAX_WRITES : seconds * MAX_REQUESTS_PER_SECOND,
  );
  const later = path.cpuNs();
  if (load.failures > 0)
    throw new OperatorError(`${load.failures} of ${load.requests} answers to ${operation} failed`);
  const used = (piece: Component) => usedNs(earlier[piece], later[piece]) / 1000 / load.requests;
  const piecesUs = Object.fromEntries(COMPONENTS.map((piece) => [piece, used(piece)])) as Record<
    Component,
    number
  >;
  return {
    cpuUs: COMPONENTS.reduce((sum, piece) => sum + piecesUs[piece], 0),
    piecesUs,
    perSecond: (load.requests / load.elapsedMs) * 1000,
  };
}
