import { type Arrivals, dueTimes } from "./arrivals.ts";
import { type Lane, type LaneEvents, openLanes, type Target } from "./lanes.ts";
import { createRecorder, type Recording } from "./recording.ts";
import { isSettled, medianOfSeconds } from "./settling.ts";

/**
 * How requests follow one another. Closed: each connection's next as soon as its last is answered,
 * for `durationMs` or until `most` were sent. Open (the other models): when they are due, whatever
 * became of those before them. Replay: at given times, ascending.
 */
export type LoadModel =
  | { model: "closed"; durationMs: number; most?: number }
  | Arrivals
  | { model: "replay"; dueMs: number[] };

export type LoadPlan = {
  target: Target;
  /** Complete requests as they go over the wire, one after the other and again from the first. */
  requests: Uint8Array[];
  connections: number;
  load: LoadModel;
  /**
   * Of an open load: it ends early, `leastS` seconds or more after its start, once the responses
   * have settled.
   */
  settle?: { leastS: number };
  /** How long answers are waited for after the last request was due; 30 s unless said. */
  drainMs?: number;
};

/**
 * Runs a load in this process and records every request. Rejects when a connection cannot be made
 * at the start.
 */
export function generate(plan: LoadPlan): Promise<Recording> {
  const { load } = plan;
  if (load.model === "closed") return runClosed(plan, load.durationMs, load.most);
  return runOpen(plan, load.model === "replay" ? Float64Array.from(load.dueMs) : dueTimes(load));
}

const MAX_RECORDED_REQUESTS = 4_000_000;

async function runClosed(
  { target, requests, connections, drainMs = DRAIN_MS }: LoadPlan,
  durationMs: number,
  most = MAX_RECORDED_REQUESTS,
): Promise<Recording> {
  const recorder = createRecorder(Math.min(most, MAX_RECORDED_REQUESTS));
  const over = Promise.withResolvers<void>();
  const waiting: Lane[] = [];
  let isStarted = false;
  let sent = 0;
  let answered = 0;
  const goOn = (lane: Lane) => {
    if (!isStarted) return void waiting.push(lane);
    const nowMs = recorder.nowMs();
    if (nowMs >= durationMs || sent >= most || sent === MAX_RECORDED_REQUESTS) {
      if (answered === sent) over.resolve();
      return;
    }
    const at = sent++;
    recorder.send(at, nowMs);
    lane.send(requests[at % requests.length] as Uint8Array, at);
  };
  const onAnswer: LaneEvents["onAnswer"] = (at, outcome) => {
    recorder.settle(at, outcome);
    answered++;
  };
  const lanes = await openLanes(target, connections, { onIdle: goOn, onAnswer });
  recorder.start();
  isStarted = true;
  for (const lane of waiting) goOn(lane);
  // A server that is gone answers nothing and opens nothing: what is on its way then fails.
  const drain = setTimeout(over.resolve, durationMs + drainMs);
  await over.promise;
  clearTimeout(drain);
  lanes.close();
  return recorder.recording(sent);
}

const DRAIN_MS = 30_000;

/**
 * Requests that are due while no connection is idle wait for one, first come first served. The wait
 * counts: latency is from when a request was due.
 */
async function runOpen(plan: LoadPlan, due: Float64Array): Promise<Recording> {
  const { target, requests, connections, settle, drainMs = DRAIN_MS } = plan;
  const recorder = createRecorder(due.length);
  const over = Promise.withResolvers<void>();
  const idle: Lane[] = [];
  let sent = 0;
  let arrived = 0;
  let answered = 0;
  let total = due.length;
  let wholeSeconds = 0;
  const sendTo = (lane: Lane) => {
    const at = sent++;
    recorder.send(at, due[at] as number);
    lane.send(requests[at % requests.length] as Uint8Array, at);
  };
  const onIdle = (lane: Lane) => {
    if (sent < arrived) sendTo(lane);
    else idle.push(lane);
  };
  const onAnswer: LaneEvents["onAnswer"] = (at, outcome) => {
    recorder.settle(at, outcome);
    if (++answered === total) over.resolve();
  };
  const hasSettled = () => {
    const seconds = Math.floor(recorder.nowMs() / 1000);
    if (!settle || seconds === wholeSeconds || seconds < settle.leastS) return false;
    wholeSeconds = seconds;
    return isSettled(medianOfSeconds(recorder.recording(arrived), seconds));
  };
  const lanes = await openLanes(target, connections, { onIdle, onAnswer });
  recorder.start();
  while (arrived < total) {
    await untilDue((due[arrived] as number) - recorder.nowMs());
    for (
      const nowMs = recorder.nowMs();
      arrived < due.length && (due[arrived] as number) <= nowMs;
      arrived++
    ) {
      // While requests wait there is no idle lane: none is passed by a later one.
      const lane = takeOpen(idle);
      if (lane) sendTo(lane);
    }
    if (hasSettled()) total = arrived;
  }
  if (answered === total) over.resolve();
  const drain = setTimeout(over.resolve, drainMs);
  await over.promise;
  clearTimeout(drain);
  lanes.close();
  for (let at = sent; at < total; at++) recorder.abandon(at, due[at] as number);
  return recorder.recording(total);
}

/** Lanes that were lost while they were idle have been opened again as others. */
function takeOpen(idle: Lane[]): Lane | undefined {
  let lane = idle.pop();
  while (lane && !lane.isOpen) lane = idle.pop();
  return lane;
}

/**
 * Timers wake up to 1 ms late, so only what is further away is slept; the rest is spun, with turns
 * for the sockets.
 */
const SPIN_MS = 1.2;

function untilDue(gapMs: number): Promise<unknown> | undefined {
  if (gapMs > SPIN_MS) return Bun.sleep(gapMs - SPIN_MS);
  return new Promise((turn) => setImmediate(turn));
}
