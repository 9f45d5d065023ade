import type { LoadFigures } from "../load/recording.ts";
import type { Costs, IdleUsage } from "./request-costs.ts";
import type { Attribution } from "./segments.ts";

/** The baseline from bare servers at a rate, and the idle usage; see `measureFloor`. */
export type Floor = { bare: FloorPoint; withStatement: FloorPoint; rest: IdleUsage };
export type FloorPoint = { handOverMs: number; wakes: number };

/**
 * Splits the mean response time of requests with `costs`, which were in flight together with an
 * earlier one for `overlapMs` on average (`overlapMsOf`).
 */
export function attributionOf(
  { sendLagMs, responseMs }: LoadFigures,
  overlapMs: number,
  costs: Costs,
  floor: Floor,
): Attribution {
  const segments = { ...segmentsOf(costs), handOver: handOverOf(costs.wakes, floor) };
  const threadMs = costs.serverCpu + costs.serverRunQueue;
  const measured = {
    beforeSend: sendLagMs.mean,
    ...segments,
    // Earlier requests occupied the server's thread for the same share of their time as requests
    // do.
    behindOthers: overlapMs * (threadMs / Math.max(sumOf(segments), Number.MIN_VALUE)),
  };
  return { ...measured, unexplained: responseMs.mean - sumOf(measured) };
}

/** The explained share of the mean response time; above 1 if segments overlap. */
export function explainedShare(attribution: Attribution): number {
  const { unexplained, ...measured } = attribution;
  const sum = sumOf(measured);
  return sum / (sum + unexplained);
}

/**
 * The time of a bare server's requests beyond CPU and run queues, which are separate segments.
 * PostgreSQL's costs are subtracted if the server queries it.
 */
export function floorPointOf(
  { serviceMs }: LoadFigures,
  costs: Costs,
  usesDatabase: boolean,
): FloorPoint {
  const { serverCpu, serverRunQueue, postgresCpu, postgresRunQueue, wakes } = costs;
  const inPostgres = usesDatabase ? postgresCpu + postgresRunQueue : 0;
  return {
    handOverMs: Math.max(serviceMs.mean - serverCpu - serverRunQueue - inPostgres, 0),
    wakes,
  };
}

function segmentsOf(
  costs: Costs,
): Omit<Attribution, "beforeSend" | "behindOthers" | "handOver" | "unexplained"> {
  const {
    wakes: _wakes,
    serverTotalCpu: _server,
    postgresTotalCpu: _postgres,
    flushes: _flushes,
    ...segmentCosts
  } = costs;
  return segmentCosts;
}

/**
 * Interpolates between a server that is woken once for a request and one that the database wakes
 * again. With fewer wakes, some requests found the server awake.
 */
function handOverOf(wakes: number, { bare, withStatement }: Floor): number {
  if (wakes <= bare.wakes) return bare.handOverMs * (wakes / bare.wakes);
  const extraWakes = Math.max(withStatement.wakes - bare.wakes, 0.1);
  const perWake = Math.max(withStatement.handOverMs - bare.handOverMs, 0) / extraWakes;
  return bare.handOverMs + (wakes - bare.wakes) * perWake;
}

const sumOf = (segments: Record<string, number | null>): number =>
  Object.values(segments).reduce<number>((sum, ms) => sum + (ms ?? 0), 0);
