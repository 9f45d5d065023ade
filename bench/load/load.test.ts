import { expect, test } from "bun:test";
import fc from "fast-check";
import { dueTimes } from "./arrivals.ts";
import { createParser } from "./http-parser.ts";
import { distributionOf, figuresOf, type Recording } from "./recording.ts";
import { fromBytes, toBytes } from "./run.ts";

test("constant arrivals are evenly spaced, and Poisson arrivals have exponential gaps of the same mean", () => {
  expect([...dueTimes({ model: "constant", rate: 4, durationMs: 1000 })]).toEqual([
    0, 250, 500, 750,
  ]);
  const times = dueTimes({ model: "poisson", rate: 1000, durationMs: 100_000 });
  expect(times.length).toBeGreaterThan(98_500);
  expect(times.length).toBeLessThan(101_500);
  const gaps = [...times].map((time, n) => time - (times[n - 1] ?? 0));
  expect(gaps.every((gap) => gap >= 0)).toBe(true);
  // The share of gaps longer than x times the mean is exp(-x).
  for (const x of [0.5, 1, 2]) {
    expect(gaps.filter((gap) => gap > x).length / gaps.length).toBeCloseTo(Math.exp(-x), 2);
  }
});

test("a ramp rises from one rate to the other, and the same seed gives the same times", () => {
  const plan = { model: "ramp", rate: 100, toRate: 300, durationMs: 10_000, seed: 7 } as const;
  const times = dueTimes(plan);
  const within = (fromMs: number, toMs: number) =>
    times.filter((time) => time >= fromMs && time < toMs).length;
  expect(times.length).toBeGreaterThan(1850);
  expect(times.length).toBeLessThan(2150);
  expect(within(9000, 10_000) / within(0, 1000)).toBeGreaterThan(2);
  expect(dueTimes(plan)).toEqual(times);
  expect(dueTimes({ ...plan, seed: 8 })).not.toEqual(times);
});

const body = fc.string({ maxLength: 300 }).map((text) => Buffer.from(text));
const answer = fc.record({
  status: fc.constantFrom(200, 201, 204, 304, 404),
  form: fc.constantFrom("length", "chunked"),
  body,
  chunkSizes: fc.array(fc.integer({ min: 1, max: 50 }), { maxLength: 5 }),
  isLast: fc.boolean(),
  hasTrailer: fc.boolean(),
  isContinued: fc.boolean(),
});
type GeneratedAnswer = typeof answer extends fc.Arbitrary<infer T> ? T : never;

function encodeAnswer({
  status,
  form,
  body: content,
  chunkSizes,
  isLast,
  hasTrailer,
  isContinued,
}: GeneratedAnswer) {
  const hasBody = status !== 204 && status !== 304;
  const lines = [
    `HTTP/1.1 ${status} Reason`,
    "x-request-id: abc",
    ...(isLast ? ["Connection: close"] : []),
  ];
  const early = isContinued ? "HTTP/1.1 100 Continue\r\n\r\n" : "";
  if (!hasBody)
    return { bytes: Buffer.from(`${early}${lines.join("\r\n")}\r\n\r\n`), bodyBytes: 0 };
  if (form === "length") {
    const head = `${early}${lines.join("\r\n")}\r\nContent-Length: ${content.length}\r\n\r\n`;
    return { bytes: Buffer.concat([Buffer.from(head), content]), bodyBytes: content.length };
  }
  const chunks: Buffer[] = [
    Buffer.from(`${early}${lines.join("\r\n")}\r\ntransfer-encoding: chunked\r\n\r\n`),
  ];
  for (let offset = 0, n = 0; offset < content.length; n++) {
    const part = content.subarray(offset, offset + (chunkSizes[n] ?? 100));
    chunks.push(Buffer.from(`${part.length.toString(16)}\r\n`), part, Buffer.from("\r\n"));
    offset += part.length;
  }
  chunks.push(Buffer.from(hasTrailer ? "0\r\nx-trailer: 1\r\n\r\n" : "0\r\n\r\n"));
  return { bytes: Buffer.concat(chunks), bodyBytes: content.length };
}

test("answers of every form are parsed from chunks of any size", () => {
  fc.assert(
    fc.property(
      fc.array(answer, { maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 60 })),
      (content, sizes) => {
        const parser = createParser();
        for (const generated of content) {
          const { bytes, bodyBytes } = encodeAnswer(generated);
          let read: unknown;
          for (let offset = 0, n = 0; offset < bytes.length; n++) {
            const chunk = bytes.subarray(
              offset,
              offset + (sizes[n % Math.max(sizes.length, 1)] ?? 1000),
            );
            offset += chunk.length;
            // Like a socket, reuses the buffer afterwards.
            const reusedBuffer = Buffer.from(chunk);
            read = parser.receive(reusedBuffer);
            reusedBuffer.fill(0);
            if (offset < bytes.length) expect(read).toBeUndefined();
          }
          expect(read).toEqual({
            status: generated.status,
            retryAfterS: 0,
            bodyBytes,
            isLast: generated.isLast,
          });
        }
      },
    ),
  );
});

test.each([
  "SSH-2.0-x\r\n\r\n",
  "HTTP/1.1 200 OK\r\n\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nten\r\n",
  "HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n1\r\nab\r\n",
  "HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab",
])("%j is no answer that can be read", (text) => {
  expect(() => createParser().receive(Buffer.from(text))).toThrow();
});

test("a Content-Length of a chunked answer is ignored, and HTTP/1.0 closes the connection by default", () => {
  const read = (text: string) => createParser().receive(Buffer.from(text));
  const conflicting =
    "HTTP/1.1 200 OK\r\nContent-Length: 9\r\nTransfer-Encoding: chunked\r\n\r\n2;a=b\r\nok\r\n0\r\n\r\n";
  expect(read(conflicting)).toEqual({ status: 200, retryAfterS: 0, bodyBytes: 2, isLast: false });
  expect(read("HTTP/1.0 204 No Content\r\n\r\n")?.isLast).toBe(true);
  expect(read("HTTP/1.0 204 No Content\r\nConnection: keep-alive\r\n\r\n")?.isLast).toBe(false);
});

test("Retry-After is parsed in seconds, and a date is ignored", () => {
  const retryAfterOf = (line: string) => {
    const text = `HTTP/1.1 503 Service Unavailable\r\n${line}\r\nContent-Length: 0\r\n\r\n`;
    return createParser().receive(Buffer.from(text))?.retryAfterS;
  };
  expect(["retry-after: 30", "Retry-After:0", "Retry-After: 999999"].map(retryAfterOf)).toEqual([
    30, 1, 65_535,
  ]);
  expect(["X: 1", "Retry-After: Fri, 27 Nov 2026 00:00:00 GMT"].map(retryAfterOf)).toEqual([0, 0]);
});

type Row = [due: number, sent: number, done: number, status: number, retryAfterS?: number];

const recordingOf = (rows: Row[]): Recording => ({
  due: Float64Array.from(rows, ([due]) => due),
  sent: Float64Array.from(rows, ([, sent]) => sent),
  done: Float64Array.from(rows, ([, , done]) => done),
  status: Uint16Array.from(rows, ([, , , status]) => status),
  bodyBytes: new Uint32Array(rows.length).fill(7),
  retryAfterS: Uint16Array.from(rows, ([, , , , retryAfterS = 0]) => retryAfterS),
});

test("latency is from when a request was due, without the warm-up and failures", () => {
  const recording = recordingOf([
    [0, 0, 900, 200],
    [1000, 1000, 1010, 200],
    [1100, 1200, 1230, 304],
    [1200, 1200, 1201, 500],
    [1300, 1300, Number.NaN, 0],
  ]);
  expect(figuresOf(recording, 500)).toMatchObject({
    requests: 4,
    failures: 2,
    responseMs: { count: 2, mean: 70, min: 10, max: 130, percentiles: {} },
    serviceMs: { mean: 20 },
    sendLagMs: { max: 100 },
  });
  const decoded = fromBytes(Buffer.from(toBytes(recording)));
  for (const [name, column] of Object.entries(decoded))
    expect([...column]).toEqual([...recording[name as keyof Recording]]);
});

test("a 503 with Retry-After counts as refused, which is a kind of failure", () => {
  const recording = recordingOf([
    [0, 0, 10, 204],
    [1, 1, 3, 503, 1],
    [2, 2, 3, 503],
    [3, 3, 4, 429, 30],
  ]);
  expect(figuresOf(recording)).toMatchObject({
    requests: 4,
    failures: 3,
    refused: 1,
    responseMs: { count: 1 },
  });
  expect(figuresOf(recordingOf([[0, 0, 10, 204]]))).not.toHaveProperty("refused");
  expect([...fromBytes(Buffer.from(toBytes(recording))).retryAfterS]).toEqual([0, 1, 0, 30]);
});

test("a percentile is exact, and given only if ten samples lie beyond it", () => {
  const upTo = (count: number) =>
    distributionOf(Float64Array.from({ length: count }, (_, n) => count - n)).percentiles;
  expect(upTo(19)).toEqual({});
  expect(upTo(20)).toEqual({ 0.5: 10 });
  expect(upTo(999)).toEqual({ 0.5: 500, 0.9: 900 });
  expect(upTo(1000)).toEqual({ 0.5: 500, 0.9: 900, 0.99: 990 });
  expect(Object.keys(upTo(100_000))).toHaveLength(5);
});
