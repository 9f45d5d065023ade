import { expect, test } from "bun:test";
import { type Histogram as HdrHistogram, HistogramLogReader } from "hdr-histogram-js";
import { intervalOf } from "../figures/interval.ts";
import { mulberry32 } from "../figures/statistics.ts";
import { hdrLog } from "./hdr.ts";
import { figuresOf, type Recording } from "./recording.ts";
import { isSettled, medianOfSeconds } from "./settling.ts";
import { parseTrace, traceText } from "./trace.ts";
import { type Evidence, findValidityWarnings } from "./validity.ts";
import { encodeRequest } from "./wire.ts";

/** 2,000 requests of a millisecond each, sent `lagMs` late. */
const recording = (lagMs = 0, failures = 0, refused = 0): Recording => {
  const due = Float64Array.from({ length: 2000 }, (_, at) => at * 5);
  return {
    due,
    sent: due.map((ms) => ms + lagMs),
    done: due.map((ms) => ms + lagMs + 1),
    status: Uint16Array.from(due, (_, at) =>
      at < failures ? 500 : at < failures + refused ? 503 : 200,
    ),
    bodyBytes: new Uint32Array(2000),
    retryAfterS: new Uint16Array(2000).fill(1),
  };
};

const undisturbed = (): Evidence => ({
  figures: figuresOf(recording()),
  rate: { offered: 200, achieved: 199.9 },
  disturbance: { stealShare: 0.001, runQueueMs: 0.01 },
  isSettled: true,
});

test("an undisturbed run is valid, and each disturbance is named", () => {
  expect(findValidityWarnings(undisturbed())).toEqual([]);
  expect(findValidityWarnings({ ...undisturbed(), rate: undefined })).toEqual([]);
  expect(
    findValidityWarnings({
      ...undisturbed(),
      figures: figuresOf(recording(0, 0, 4)),
      mayRefuse: true,
    }),
  ).toEqual([]);
  const warnings: [Partial<Evidence>, string][] = [
    [{ figures: figuresOf(recording(0, 3)) }, "3 requests failed"],
    [{ figures: figuresOf(recording(0, 0, 4)) }, "4 requests were refused"],
    [{ figures: figuresOf(recording(0, 3, 4)), mayRefuse: true }, "3 requests failed"],
    [{ figures: figuresOf(recording(2)) }, "sent late"],
    [{ rate: { offered: 200, achieved: 198 } }, "the rate was not achieved: 198.0 of 200.0"],
    [{ disturbance: { stealShare: 0.02, runQueueMs: 0 } }, "the hypervisor stole 2.0 %"],
    [
      {
        disturbance: {
          stealShare: 0,
          runQueueMs:
            0.2 * figuresOf(recording()).requests * figuresOf(recording()).responseMs.mean,
        },
      },
      "waited for a core for 20.0 %",
    ],
    [{ isSettled: false }, "had not settled"],
  ];
  for (const [evidence, warning] of warnings) {
    expect(findValidityWarnings({ ...undisturbed(), ...evidence })).toEqual([
      expect.stringContaining(warning),
    ]);
  }
});

test("a warm-up is over when the medians of five seconds neither rise nor fall", () => {
  expect(isSettled([1, 1, 1, 1])).toBe(false);
  expect(isSettled([9, 1, 1, 1, 1, 1])).toBe(true);
  expect(isSettled([10, 8, 6, 5, 4])).toBe(false);
  expect(isSettled([4, 4.5, 5, 5.5, 6])).toBe(false);
  // Scatter is not a slope.
  expect(isSettled([10, 12, 9, 12, 10])).toBe(true);
  expect(isSettled([1, 1, Number.NaN, 1, 1])).toBe(false);
  expect(medianOfSeconds(recording(1), 3)).toEqual([2, 2, 2]);
});

test("95 % of the confidence intervals over runs contain the mean", () => {
  expect(intervalOf([5])).toEqual({ mean: 5, low: null, high: null });
  const random = mulberry32(3);
  const normal = () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
  for (const runs of [3, 8, 30]) {
    const holds = Array.from({ length: 4000 }, () =>
      intervalOf(Array.from({ length: runs }, normal)),
    ).filter(({ low, high }) => (low as number) <= 0 && (high as number) >= 0);
    expect(holds.length / 4000).toBeCloseTo(0.95, 1);
    expect(Math.abs(holds.length / 4000 - 0.95)).toBeLessThan(0.015);
  }
});

test("a trace is parsed as it was written, and a wrong line is named", () => {
  const trace = [
    { dueMs: 0, operation: "Ping", person: 0 },
    { dueMs: 1.5, operation: "LogSet", person: 7 },
  ];
  expect(parseTrace(traceText(trace), ["Ping", "LogSet"])).toEqual(trace);
  expect(() => parseTrace(traceText(trace), ["Ping"])).toThrow("Line 2");
  expect(() => parseTrace(traceText([...trace].reverse()), ["Ping", "LogSet"])).toThrow("Line 2");
  for (const wrong of [
    "nonsense",
    "null",
    '{"dueMs":-1,"operation":"Ping"}',
    '{"dueMs":0,"operation":"Ping","person":-1}',
  ])
    expect(() => parseTrace(wrong, ["Ping"])).toThrow("Line 1");
  expect(() => parseTrace("\n", ["Ping"])).toThrow("no requests");
});

test("an HDR log has a histogram for each second that other tools can read", () => {
  const log = hdrLog([{ operation: "GetWorkout", recording: recording(2, 3) }], 1_700_000_000_000);
  const reader = new HistogramLogReader(log);
  const seconds: HdrHistogram[] = [];
  for (let read = reader.nextIntervalHistogram(); read; read = reader.nextIntervalHistogram())
    seconds.push(read as never);
  expect(seconds).toHaveLength(10);
  expect(seconds.reduce((sum, { totalCount }) => sum + totalCount, 0)).toBe(1997);
  expect([seconds[0]?.tag, seconds[0]?.getValueAtPercentile(50)]).toEqual(["GetWorkout", 3001]);
});

test("a request with a body has its length in bytes", () => {
  expect(encodeRequest({ method: "POST", path: "/a", headers: { cookie: "x" }, body: "é" })).toBe(
    "POST /a HTTP/1.1\r\nHost: localhost\r\ncookie: x\r\nContent-Length: 2\r\n\r\né",
  );
  expect(encodeRequest({ method: "GET", path: "/a" })).toBe(
    "GET /a HTTP/1.1\r\nHost: localhost\r\n\r\n",
  );
});
