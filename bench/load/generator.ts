import { type Arrivals, dueTimes } from "./arrivals.ts";
import {
  type Connection,
  type ConnectionEvents,
  openConnections,
  type Target,
} from "./connections.ts";
import { createRecorder, type Recording } from "./recording.ts";
import { isSettled, medianOfSeconds } from "./settling.ts";

/**
 * How requests follow one another. Closed: each connection sends its next request as soon as the
 * last is answered, for `durationMs` or until `maxRequests`. Open (the other models): when they are
 * due, regardless of earlier ones. Replay: at given times, ascending.
 */
export type LoadModel =
  | { model: "closed"; durationMs: number; maxRequests?: number }
  | Arrivals
  | { model: "replay"; dueMs: number[] };

export type LoadPlan = {
  target: Target;
  /** Complete encoded requests, sent in order and repeatedly. */
  requests: Uint8Array[];
  connections: number;
  load: LoadModel;
  /**
   * Ends an open load early, at least `minS` seconds after its start, when response times have
   * settled.
   */
  settle?: { minS: number };
  /** How long to wait for answers after the last request was due; 30 s by default. */
  drainMs?: number;
};

/**
 * Runs a load in this process and records every request. Rejects if a connection cannot be opened
 * at the start.
 */
export function generate(plan: LoadPlan): Promise<Recording> {
  const { load } = plan;
  if (load.model === "closed") return runClosed(plan, load.durationMs, load.maxRequests);
  return runOpen(plan, load.model === "replay" ? Float64Array.from(load.dueMs) : dueTimes(load));
}

const MAX_RECORDED_REQUESTS = 4_000_000;

async function runClosed(
  { target, requests, connections, drainMs = DRAIN_MS }: LoadPlan,
  durationMs: number,
  maxRequests = MAX_RECORDED_REQUESTS,
): Promise<Recording> {
  const recorder = createRecorder(Math.min(maxRequests, MAX_RECORDED_REQUESTS));
  const finished = Promise.withResolvers<void>();
  const ready: Connection[] = [];
  let isStarted = false;
  let sent = 0;
  let answered = 0;
  const sendNext = (connection: Connection) => {
    if (!isStarted) return void ready.push(connection);
    const nowMs = recorder.nowMs();
    if (nowMs >= durationMs || sent >= maxRequests || sent === MAX_RECORDED_REQUESTS) {
      if (answered === sent) finished.resolve();
      return;
    }
    const index = sent++;
    recorder.send(index, nowMs);
    connection.send(requests[index % requests.length] as Uint8Array, index);
  };
  const onAnswer: ConnectionEvents["onAnswer"] = (index, outcome) => {
    recorder.settle(index, outcome);
    answered++;
  };
  const pool = await openConnections(target, connections, { onIdle: sendNext, onAnswer });
  recorder.start();
  isStarted = true;
  for (const connection of ready) sendNext(connection);
  // If the server is gone, the outstanding requests fail.
  const drain = setTimeout(finished.resolve, durationMs + drainMs);
  await finished.promise;
  clearTimeout(drain);
  pool.close();
  return recorder.recording(sent);
}

const DRAIN_MS = 30_000;

/**
 * Requests that are due while no connection is idle wait in order of arrival. The wait counts:
 * latency is from when a request was due.
 */
async function runOpen(plan: LoadPlan, due: Float64Array): Promise<Recording> {
  const { target, requests, connections, settle, drainMs = DRAIN_MS } = plan;
  const recorder = createRecorder(due.length);
  const finished = Promise.withResolvers<void>();
  const idle: Connection[] = [];
  let sent = 0;
  let arrived = 0;
  let answered = 0;
  let total = due.length;
  let wholeSeconds = 0;
  const sendTo = (connection: Connection) => {
    const index = sent++;
    recorder.send(index, due[index] as number);
    connection.send(requests[index % requests.length] as Uint8Array, index);
  };
  const onIdle = (connection: Connection) => {
    if (sent < arrived) sendTo(connection);
    else idle.push(connection);
  };
  const onAnswer: ConnectionEvents["onAnswer"] = (index, outcome) => {
    recorder.settle(index, outcome);
    if (++answered === total) finished.resolve();
  };
  const hasSettled = () => {
    const seconds = Math.floor(recorder.nowMs() / 1000);
    if (!settle || seconds === wholeSeconds || seconds < settle.minS) return false;
    wholeSeconds = seconds;
    return isSettled(medianOfSeconds(recorder.recording(arrived), seconds));
  };
  const pool = await openConnections(target, connections, { onIdle, onAnswer });
  recorder.start();
  while (arrived < total) {
    await untilDue((due[arrived] as number) - recorder.nowMs());
    for (
      const nowMs = recorder.nowMs();
      arrived < due.length && (due[arrived] as number) <= nowMs;
      arrived++
    ) {
      // Waiting requests imply that no connection is idle, so none is overtaken.
      const connection = takeIdle(idle);
      if (connection) sendTo(connection);
    }
    if (hasSettled()) total = arrived;
  }
  if (answered === total) finished.resolve();
  const drain = setTimeout(finished.resolve, drainMs);
  await finished.promise;
  clearTimeout(drain);
  pool.close();
  for (let index = sent; index < total; index++) recorder.abandon(index, due[index] as number);
  return recorder.recording(total);
}

/** Connections lost while idle have been replaced by new ones. */
function takeIdle(idle: Connection[]): Connection | undefined {
  let connection = idle.pop();
  while (connection && !connection.isOpen) connection = idle.pop();
  return connection;
}

/** Timers fire up to 1 ms late, so the last part of a wait is spent yielding to the event loop. */
const SPIN_MS = 1.2;

function untilDue(gapMs: number): Promise<unknown> | undefined {
  if (gapMs > SPIN_MS) return Bun.sleep(gapMs - SPIN_MS);
  return new Promise((turn) => setImmediate(turn));
}
