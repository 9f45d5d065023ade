import type { LoadModel } from "./generator.ts";
import type { Target } from "./lanes.ts";
import { figuresOf, type LoadFigures, type Recording } from "./recording.ts";
import { runLoad } from "./run.ts";

export type RunsPlan = {
  target: Target;
  /** Each is sent once, from the first; enough of them for the warm-up and all runs. */
  requests: string[];
  connections: number;
  /** Which request a run begins with, `used` of them gone; the next one unless said. */
  startOf?(run: number, used: number): number;
  /** What a run of this many ms is: another for each seed. */
  load(durationMs: number, seed: number): LoadModel;
  /** Requests a second while warming up. */
  warmUpRate: number;
  warmUpS: { least: number; most: number };
  runs: number;
  seconds: number;
  /** Called when the warm-up is over. */
  onWarm?(): void;
};

/** One run of several: its figures are one sample. */
export type OneRun = {
  recording: Recording;
  figures: LoadFigures;
  offered: number;
  achieved: number;
};

export type Runs = {
  /** All runs, one after the other as if there were no time between them. */
  recording: Recording;
  /** Which request each line of the recording sent, by its place in the plan. */
  places: Int32Array;
  each: OneRun[];
  /** How long the warm-up took; null when responses had not settled. */
  settledAfterS: number | null;
  /** Requests sent since the warm-up, those before each run's beginning among them. */
  sent: number;
  generatorCpuMs: number;
};

/** Before each run counts, so that the generator's own code has been compiled. */
export const PRELUDE_MS = 1000;

/** How many requests a plan may use up. */
export const requestsOf = (rate: number, warmUpS: number, runs: number, seconds: number): number =>
  Math.ceil(rate * (warmUpS + runs * (seconds + PRELUDE_MS / 1000)) * 1.15) + 100;

/** Warms the server up until responses settle, then puts it under the same load several times. */
export async function runSeveral(plan: RunsPlan): Promise<Runs> {
  const { target, connections, warmUpS, runs, seconds } = plan;
  const warmUp = {
    model: "poisson",
    rate: plan.warmUpRate,
    durationMs: warmUpS.most * 1000,
    seed: 99,
  } as const;
  const settle = { leastS: warmUpS.least };
  const common = { target, connections };
  let used = 0;
  let settledAfterS: number | null = 0;
  if (warmUpS.most > 0) {
    const { recording } = await runLoad({
      ...common,
      requests: plan.requests,
      load: warmUp,
      settle,
    });
    used = recording.due.length;
    const lastedMs = recording.due.at(-1) ?? 0;
    settledAfterS = lastedMs < (warmUpS.most - 0.5) * 1000 ? lastedMs / 1000 : null;
  }
  plan.onWarm?.();
  let sent = 0;
  const each: (OneRun & { places: Int32Array })[] = [];
  let generatorCpuMs = 0;
  for (let run = 0; run < runs; run++) {
    const start = plan.startOf?.(run, used) ?? used;
    const requests = plan.requests.slice(start);
    const given = plan.load(PRELUDE_MS + seconds * 1000, run + 1);
    const load =
      given.model === "closed"
        ? { ...given, most: Math.floor(requests.length / (runs - run)) }
        : given;
    const done = await runLoad({ ...common, requests, load });
    generatorCpuMs += done.generatorCpuMs;
    const recording = since(done.recording, PRELUDE_MS);
    const first = start + done.recording.due.length - recording.due.length;
    const places = Int32Array.from(recording.due, (_, at) => first + at);
    each.push({ ...oneRun(recording, seconds * 1000), places });
    used = start + done.recording.due.length;
    sent += done.recording.due.length;
  }
  return {
    recording: joined(each.map(({ recording }) => recording)),
    places: Int32Array.from(each.flatMap(({ places }) => [...places])),
    each: each.map(({ places: _places, ...run }) => run),
    settledAfterS,
    sent,
    generatorCpuMs,
  };
}

/**
 * The rate that the server kept up with: a run that leaves a queue behind lasts longer than it
 * should. What an answer usually takes is no queue.
 */
function oneRun(recording: Recording, durationMs: number): OneRun {
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

/** What was due from `fromMs` on, counted from then. */
function since(
  { due, sent, done, status, bodyBytes, retryAfterS }: Recording,
  fromMs: number,
): Recording {
  const first = due.findIndex((ms) => ms >= fromMs);
  const from = first < 0 ? due.length : first;
  const later = (times: Float64Array) => times.subarray(from).map((ms) => ms - fromMs);
  return {
    due: later(due),
    sent: later(sent),
    done: later(done),
    status: status.subarray(from),
    bodyBytes: bodyBytes.subarray(from),
    retryAfterS: retryAfterS.subarray(from),
  };
}

/** Recordings one after the other, each from the next whole second on. */
function joined(recordings: Recording[]): Recording {
  let fromMs = 0;
  const moved = recordings.map((recording) => {
    const at = fromMs;
    fromMs += Math.ceil(((recording.due.at(-1) ?? 0) + 1) / 1000) * 1000;
    const later = (times: Float64Array) => times.map((ms) => ms + at);
    return {
      ...recording,
      due: later(recording.due),
      sent: later(recording.sent),
      done: later(recording.done),
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
