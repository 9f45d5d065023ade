/**
 * How each request ended, in the order in which they were due. Times are ms from the start: when it
 * was due, sent and answered (NaN: never). Status 0: its connection was lost, or there was no
 * answer. `retryAfterS`: seconds of Retry-After; 0 if absent.
 */
export type Recording = {
  due: Float64Array;
  sent: Float64Array;
  done: Float64Array;
  status: Uint16Array;
  bodyBytes: Uint32Array;
  retryAfterS: Uint16Array;
};

/** Records into preallocated arrays: nothing is allocated for a request. */
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
    send: (index: number, dueMs: number) => {
      due[index] = dueMs;
      sent[index] = nowMs();
    },
    /** For a request that was due and never sent. */
    abandon: (index: number, dueMs: number) => {
      due[index] = dueMs;
      sent[index] = Number.NaN;
    },
    settle: (index: number, answer: { status: number; retryAfterS: number; bodyBytes: number }) => {
      done[index] = nowMs();
      status[index] = answer.status;
      bodyBytes[index] = answer.bodyBytes;
      retryAfterS[index] = answer.retryAfterS;
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

/** A percentile is given only if this many samples lie beyond it. */
const MIN_SAMPLES_BEYOND = 10;

export type Distribution = {
  count: number;
  mean: number;
  min: number;
  max: number;
  /** By share, 0 to 1; absent if fewer than ten samples lie beyond it. */
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
    if (count * (1 - share) >= MIN_SAMPLES_BEYOND - 1e-9)
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
   * Failures that are a 503 with Retry-After: the server was overloaded, not broken. Absent if
   * none.
   */
  refused?: number;
  /** From when a request was due, as a client experiences it. */
  responseMs: Distribution;
  /** From when it was sent: the time in the server. */
  serviceMs: Distribution;
  /** How late requests were sent, because of the generator or of too few connections. */
  sendLagMs: Distribution;
};

const isSuccess = (status: number) => (status >= 200 && status < 300) || status === 304;

/** Figures of a recording without its first `warmUpMs`. */
export function figuresOf(
  { due, sent, done, status, retryAfterS }: Recording,
  warmUpMs = 0,
): LoadFigures {
  const succeeded: number[] = [];
  let failures = 0;
  let refused = 0;
  let lastMs = 0;
  for (let index = 0; index < due.length; index++) {
    if ((due[index] as number) < warmUpMs) continue;
    if (isSuccess(status[index] as number)) succeeded.push(index);
    else failures++;
    if (status[index] === 503 && (retryAfterS[index] as number) > 0) refused++;
    if ((done[index] as number) > lastMs) lastMs = done[index] as number;
  }
  const spans = (from: Float64Array, to: Float64Array) =>
    distributionOf(
      Float64Array.from(succeeded, (index) => (to[index] as number) - (from[index] as number)),
    );
  return {
    requests: succeeded.length + failures,
    perSecond: (succeeded.length / (lastMs - warmUpMs)) * 1000,
    failures,
    ...(refused > 0 ? { refused } : {}),
    responseMs: spans(due, done),
    serviceMs: spans(sent, done),
    sendLagMs: spans(due, sent),
  };
}
