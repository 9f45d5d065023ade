/**
 * What became of each request, in the order in which they were due. Times are ms from the start:
 * when it was due, when it was sent, when it was answered (NaN: never). Status 0: its connection
 * was lost, or it was never answered. `retryAfterS`: how many seconds later it was told to come
 * again; 0: nothing of it.
 */
export type Recording = {
  due: Float64Array;
  sent: Float64Array;
  done: Float64Array;
  status: Uint16Array;
  bodyBytes: Uint32Array;
  retryAfterS: Uint16Array;
};

/** Writes into arrays that were made before: nothing is allocated for a request. */
export function createRecorder(capacity: number) {
  const due = new Float64Array(capacity);
  const sent = new Float64Array(capacity);
  const done = new Float64Array(capacity).fill(Number.NaN);
  const status = new Uint16Array(capacity);
  const bodyBytes = new Uint32Array(capacity);
  const retryAfterS = new Uint16Array(capacity);
  let startedMs = 0;
  const nowMs = () => performance.now() - startedMs;
  return {
    start: () => {
      startedMs = performance.now();
    },
    nowMs,
    send: (at: number, dueMs: number) => {
      due[at] = dueMs;
      sent[at] = nowMs();
    },
    /** It was due, and never sent. */
    abandon: (at: number, dueMs: number) => {
      due[at] = dueMs;
      sent[at] = Number.NaN;
    },
    settle: (at: number, answer: { status: number; retryAfterS: number; bodyBytes: number }) => {
      done[at] = nowMs();
      status[at] = answer.status;
      bodyBytes[at] = answer.bodyBytes;
      retryAfterS[at] = answer.retryAfterS;
    },
    recording: (count: number): Recording => ({
      due: due.slice(0, count),
      sent: sent.slice(0, count),
      done: done.slice(0, count),
      status: status.slice(0, count),
      bodyBytes: bodyBytes.slice(0, count),
      retryAfterS: retryAfterS.slice(0, count),
    }),
  };
}

/** A percentile of `share` (0 to 1) is given only when ten samples lie beyond it. */
const FEWEST_BEYOND = 10;

export type Distribution = {
  count: number;
  mean: number;
  min: number;
  max: number;
  /** By share; absent where fewer than ten samples lie beyond it. */
  percentiles: Partial<Record<(typeof SHARES)[number], number>>;
};

export const SHARES = [0.5, 0.9, 0.99, 0.999, 0.9999] as const;

/**
 * Exact figures of `values`, which are sorted in place. The percentile is the value at rank ⌈share
 * · n⌉.
 */
export function distributionOf(values: Float64Array): Distribution {
  values.sort();
  const count = values.length;
  const percentiles: Distribution["percentiles"] = {};
  for (const share of SHARES) {
    if (count * (1 - share) >= FEWEST_BEYOND - 1e-9)
      percentiles[share] = values[Math.ceil(share * count) - 1] as number;
  }
  const sum = values.reduce((total, value) => total + value, 0);
  return {
    count,
    mean: sum / count,
    min: values[0] ?? Number.NaN,
    max: values.at(-1) ?? Number.NaN,
    percentiles,
  };
}

export type LoadFigures = {
  requests: number;
  perSecond: number;
  /** Answers that are neither 2xx nor 304, and requests without one. */
  failures: number;
  /**
   * Those of the failures that are a 503 with Retry-After: nothing broke, there was too much to do.
   * Absent when none is.
   */
  refused?: number;
  /** From when a request was due: what a client meets. */
  responseMs: Distribution;
  /** From when it was sent: what the server took. */
  serviceMs: Distribution;
  /** How late requests were sent: the generator's own fault, and that of too few connections. */
  sendLagMs: Distribution;
};

const isSuccess = (status: number) => (status >= 200 && status < 300) || status === 304;

/** The figures of a recording, but for its first `warmUpMs`. */
export function figuresOf(
  { due, sent, done, status, retryAfterS }: Recording,
  warmUpMs = 0,
): LoadFigures {
  const chosen: number[] = [];
  let failures = 0;
  let refused = 0;
  let lastMs = 0;
  for (let at = 0; at < due.length; at++) {
    if ((due[at] as number) < warmUpMs) continue;
    if (isSuccess(status[at] as number)) chosen.push(at);
    else failures++;
    if (status[at] === 503 && (retryAfterS[at] as number) > 0) refused++;
    if ((done[at] as number) > lastMs) lastMs = done[at] as number;
  }
  const spans = (from: Float64Array, to: Float64Array) =>
    distributionOf(Float64Array.from(chosen, (at) => (to[at] as number) - (from[at] as number)));
  return {
    requests: chosen.length + failures,
    perSecond: (chosen.length / (lastMs - warmUpMs)) * 1000,
    failures,
    ...(refused > 0 ? { refused } : {}),
    responseMs: spans(due, done),
    serviceMs: spans(sent, done),
    sendLagMs: spans(due, sent),
  };
}
