import type { Target } from "./connections.ts";
import type { LoadModel } from "./generator.ts";
import { figuresOf, type LoadFigures, type Recording } from "./recording.ts";
import { runLoad } from "./run.ts";

export type RunsPlan = {
  target: Target;
  /** Each is sent once, in order; enough of them for the warm-up and all runs. */
  requests: string[];
  connections: number;
  /** The index of a run's first request after `used` requests; the next one by default. */
  startOf?(run: number, used: number): number;
  /** The load of a run; each seed gives another. */
  load(durationMs: number, seed: number): LoadModel;
  /** Requests a second while warming up. */
  warmUpRate: number;
  warmUpS: { min: number; max: number };
  runs: number;
  seconds: number;
  /** Called when the warm-up is over. */
  onWarm?(): void;
};

/** One run. Its figures are one sample. */
export type Run = {
  recording: Recording;
  figures: LoadFigures;
  offered: number;
  achieved: number;
};

export type Runs = {
  /** All runs, concatenated without the pauses between them. */
  recording: Recording;
  /** For each recorded request its index in the plan. */
  requestIndexes: Int32Array;
  each: Run[];
  /** How long the warm-up took; null if response times had not settled. */
  settledAfterS: number | null;
  /** Requests sent since the warm-up, including the discarded start of each run. */
  sent: number;
  generatorCpuMs: number;
};

/** The start of each run is discarded, because the generator's code is being compiled. */
export const PRELUDE_MS = 1000;

/** An upper bound of the requests that a plan needs. */
export const maxRequestsOf = (
  rate: number,
  warmUpS: number,
  runs: number,
  seconds: number,
): number => Math.ceil(rate * (warmUpS + runs * (seconds + PRELUDE_MS / 1000)) * 1.15) + 100;

/** Warms the server up until response times settle, then runs the same load several times. */
export async function runSeveral(plan: RunsPlan): Promise<Runs> {
  const { target, connections, warmUpS, runs, seconds } = plan;
  const warmUp = {
    model: "poisson",
    rate: plan.warmUpRate,
    durationMs: warmUpS.max * 1000,
    seed: 99,
  } as const;
  const settle = { minS: warmUpS.min };
  const common = { target, connections };
  let used = 0;
  let settledAfterS: number | null = 0;
  if (warmUpS.max > 0) {
    const warmUpRun = { ...common, requests: plan.requests, load: warmUp, settle };
    const { recording } = await runLoad(warmUpRun);
    used = recording.due.length;
    const lastedMs = recording.due.at(-1) ?? 0;
    settledAfterS = lastedMs < (warmUpS.max - 0.5) * 1000 ? lastedMs / 1000 : null;
  }
  plan.onWarm?.();
  let sent = 0;
  const each: (Run & { requestIndexes: Int32Array })[] = [];
  let generatorCpuMs = 0;
  for (let run = 0; run < runs; run++) {
    const start = plan.startOf?.(run, used) ?? used;
    const requests = plan.requests.slice(start);
    const planned = plan.load(PRELUDE_MS + seconds * 1000, run + 1);
    const load =
      planned.model === "closed"
        ? { ...planned, maxRequests: Math.floor(requests.length / (runs - run)) }
        : planned;
    const done = await runLoad({ ...common, requests, load });
    generatorCpuMs += done.generatorCpuMs;
    const recording = since(done.recording, PRELUDE_MS);
    const first = start + done.recording.due.length - recording.due.length;
    const requestIndexes = Int32Array.from(recording.due, (_, offset) => first + offset);
    each.push({ ...runOf(recording, seconds * 1000), requestIndexes });
    used = start + done.recording.due.length;
    sent += done.recording.due.length;
  }
  return {
    recording: concatenate(each.map(({ recording }) => recording)),
    requestIndexes: Int32Array.from(each.flatMap(({ requestIndexes }) => [...requestIndexes])),
    each: each.map(({ requestIndexes: _indexes, ...run }) => run),
    settledAfterS,
    sent,
    generatorCpuMs,
  };
}

/**
 * A run that leaves a queue behind lasts longer than planned, so its achieved rate is lower. The
 * usual time of one answer is not a queue.
 */
function runOf(recording: Recording, durationMs: number): Run {
  const figures = figuresOf(recording);
  const lastMs = recording.done
    .filter((done) => !Number.isNaN(done))
    .reduce((last, done) => Math.max(last, done), 0);
  const usualMs = figures.serviceMs.percentiles[0.9] ?? figures.serviceMs.mean;
  const lastedMs = Math.max(durationMs, lastMs - usualMs);
  const count = recording.due.length;
  return {
    recording,
    figures,
    offered: (count / durationMs) * 1000,
    achieved: (count / lastedMs) * 1000,
  };
}

/** The requests due from `fromMs` on, with times counted from then. */
function since(
  { due, sent, done, status, bodyBytes, retryAfterS }: Recording,
  fromMs: number,
): Recording {
  const first = due.findIndex((ms) => ms >= fromMs);
  const from = first < 0 ? due.length : first;
  const shifted = (times: Float64Array) => times.subarray(from).map((ms) => ms - fromMs);
  return {
    due: shifted(due),
    sent: shifted(sent),
    done: shifted(done),
    status: status.subarray(from),
    bodyBytes: bodyBytes.subarray(from),
    retryAfterS: retryAfterS.subarray(from),
  };
}

/** Concatenates recordings, each starting at the next full second. */
function concatenate(recordings: Recording[]): Recording {
  let fromMs = 0;
  const moved = recordings.map((recording) => {
    const offset = fromMs;
    fromMs += Math.ceil(((recording.due.at(-1) ?? 0) + 1) / 1000) * 1000;
    const shifted = (times: Float64Array) => times.map((ms) => ms + offset);
    return {
      ...recording,
      due: shifted(recording.due),
      sent: shifted(recording.sent),
      done: shifted(recording.done),
    };
  });
  return {
    due: Float64Array.from(moved.flatMap(({ due }) => [...due])),
    sent: Float64Array.from(moved.flatMap(({ sent }) => [...sent])),
    done: Float64Array.from(moved.flatMap(({ done }) => [...done])),
    status: Uint16Array.from(moved.flatMap(({ status }) => [...status])),
    bodyBytes: Uint32Array.from(moved.flatMap(({ bodyBytes }) => [...bodyBytes])),
    retryAfterS: Uint16Array.from(moved.flatMap(({ retryAfterS }) => [...retryAfterS])),
  };
}
