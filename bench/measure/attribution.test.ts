import { expect, test } from "bun:test";
import { distributionOf, type LoadFigures } from "../load/recording.ts";
import { noUsage, type ProcessUsage } from "../probes/processes.ts";
import type { Sample } from "../probes/sampler.ts";
import type { WaitClass } from "../probes/waits.ts";
import { waitSharesOf } from "../self-check/truth.ts";
import { attributionOf, explainedShare, type Floor, floorPointOf } from "./attribution.ts";
import { inFlightShareOf, overlapMsOf } from "./behind-others.ts";
import { costsOf, idleUsageOf, ioWaitShareOf, unnoticedIdleUsage } from "./request-costs.ts";

const NO_USAGE = { server: noUsage(), backends: noUsage() };
const FLOOR: Floor = {
  bare: { handOverMs: 0.1, wakes: 1 },
  withStatement: { handOverMs: 0.3, wakes: 2 },
  rest: NO_USAGE,
};

const usage = (main: Partial<ProcessUsage["main"]> = {}): ProcessUsage => ({
  main: { ...noUsage(), ...main },
  pool: noUsage(),
  helpers: noUsage(),
  totalCpuMs: 0,
  blockIoMs: 0,
  residentMib: 0,
});

type Usage = {
  server?: Partial<ProcessUsage["main"]>;
  backends?: Partial<ProcessUsage["main"]>;
  waitedMs?: number;
  ioWaitMs?: number;
  looks?: number;
  seen?: Partial<Record<WaitClass, number>>;
  metrics?: Record<string, number>;
};

const sampleAt = (atMs: number, usageGiven: Usage = {}): Sample => ({
  atMs,
  server: usage(usageGiven.server),
  backends: usage(usageGiven.backends),
  background: usage(),
  proxy: null,
  pooler: null,
  disk: { flushes: 0, coldReads: 0, waitedMs: usageGiven.waitedMs ?? 0 },
  machine: {
    ioWaitMs: usageGiven.ioWaitMs ?? 0,
    stealMs: 0,
    contextSwitches: 0,
    device: null,
    pressure: { cpu: null, io: null, memory: null },
  },
  waits: {
    looks: usageGiven.looks ?? 0,
    seen: { cpu: 0, disk: 0, diskOfOthers: 0, lock: 0, client: 0, other: 0, ...usageGiven.seen },
    events: {},
  },
  metrics: usageGiven.metrics ?? null,
});

const between = (from: Usage, to: Usage) => ({ samples: [sampleAt(0, from), sampleAt(1000, to)] });

const figures = (responseMs: number, sendLagMs: number): LoadFigures => ({
  requests: 1,
  perSecond: 1,
  failures: 0,
  responseMs: distributionOf(Float64Array.of(responseMs)),
  serviceMs: distributionOf(Float64Array.of(responseMs - sendLagMs)),
  sendLagMs: distributionOf(Float64Array.of(sendLagMs)),
});

test("a mean response is the sum of its parts and an unexplained remainder", () => {
  const record = between(
    { server: { cpuMs: 50, wakes: 7 } },
    {
      server: { cpuMs: 150, runQueueMs: 20, wakes: 207 },
      backends: { cpuMs: 40, runQueueMs: 5 },
      waitedMs: 300,
    },
  );
  const attribution = attributionOf(figures(5, 0.2), 0, costsOf(record, 100, NO_USAGE), FLOOR);
  expect(attribution).toMatchObject({
    beforeSend: 0.2,
    serverCpu: 1,
    serverRunQueue: 0.2,
    disk: 3,
    handOver: 0.3,
  });
  expect(attribution).toMatchObject({
    postgresCpu: 0.4,
    postgresRunQueue: 0.05,
    proxy: null,
    poolWait: null,
  });
  expect(attribution.unexplained).toBeCloseTo(5 - 5.15, 10);
  expect(explainedShare(attribution)).toBeCloseTo(5.15 / 5, 10);
});

test("lock waits are the share of samples with one", () => {
  const record = between({ looks: 10 }, { looks: 60, seen: { lock: 5 } });
  expect(costsOf(record, 50, NO_USAGE).lock).toBeCloseTo(2, 10);
});

test("waiting for another's flush is scaled by own flushes if enough were sampled", () => {
  const oftenSampled = between(
    {},
    { looks: 100, waitedMs: 800, seen: { disk: 40, diskOfOthers: 20 } },
  );
  expect(costsOf(oftenSampled, 100, NO_USAGE).diskOfOthers).toBeCloseTo(4, 10);
  const rarelySampled = between(
    {},
    { looks: 100, waitedMs: 800, seen: { disk: 4, diskOfOthers: 2 } },
  );
  expect(costsOf(rarelySampled, 100, NO_USAGE).diskOfOthers).toBeCloseTo(0.2, 10);
});

test("the usage of heartbeats is subtracted from a request's costs, which are never negative", () => {
  const rest = idleUsageOf(
    between({}, { backends: { cpuMs: 10 }, server: { cpuMs: 5, wakes: 20 } }),
  );
  const record = between({}, { backends: { cpuMs: 4 }, server: { cpuMs: 105, wakes: 120 } });
  const costs = costsOf(record, 100, rest);
  expect(costs).toMatchObject({ serverCpu: 1, postgresCpu: 0, wakes: 1 });
});

test("waiting for a connection is taken from the server's metrics, and null without them", () => {
  const metricsOf = (s: number) => ({ metrics: { irontrack_pool_wait_seconds_sum: s } });
  expect(costsOf(between(metricsOf(1), metricsOf(1.5)), 100, NO_USAGE).poolWait).toBeCloseTo(5, 10);
  expect(costsOf(between({}, {}), 100, NO_USAGE).poolWait).toBeNull();
});

test("the floor is a bare server's time without CPU and run queue, and without PostgreSQL's if it is queried", () => {
  const backends = { cpuMs: 5, runQueueMs: 8 };
  const record = between({}, { server: { cpuMs: 10, runQueueMs: 2, wakes: 100 }, backends });
  const costs = costsOf(record, 100, NO_USAGE);
  expect(floorPointOf(figures(0.5, 0.1), costs, false)).toEqual({
    handOverMs: expect.closeTo(0.28, 10),
    wakes: 1,
  });
  expect(floorPointOf(figures(0.5, 0.1), costs, true)).toEqual({
    handOverMs: expect.closeTo(0.15, 10),
    wakes: 1,
  });
  expect(floorPointOf(figures(0.1, 0), costs, true).handOverMs).toBe(0);
});

test("a request waits behind an earlier one for the share of time that requests spend in the server's thread", () => {
  const record = between({}, { server: { cpuMs: 30, wakes: 100 }, waitedMs: 50 });
  // 0.3 ms in the thread, 0.5 on the disk, 0.1 of hand-over: a third of the overlap.
  const attribution = attributionOf(figures(2, 0), 0.9, costsOf(record, 100, NO_USAGE), FLOOR);
  expect(attribution.behindOthers).toBeCloseTo(0.3, 10);
  expect(attribution.unexplained).toBeCloseTo(2 - 1.2, 10);
});

test("two requests overlap from the sending of the later one to the first answer", () => {
  const sent = Float64Array.of(0, 1, 2, 9, 20);
  const done = Float64Array.of(4, 3, 6, Number.NaN, 21);
  const rest = { due: sent, status: new Uint16Array(5), bodyBytes: new Uint32Array(5) };
  // The second overlaps until its own answer, the third until the first's; the lost one does not
  // count.
  expect(overlapMsOf({ sent, done, ...rest })).toBeCloseTo((2 + 2) / 4, 10);
  expect(inFlightShareOf({ sent, done, ...rest })).toBeCloseTo(7 / 21, 10);
});

test("fewer wakes than a bare server's reduce the hand-over time, never below zero", () => {
  const handOverOf = (wakes: number) =>
    attributionOf(
      figures(1, 0),
      0,
      costsOf(between({}, { server: { wakes } }), 100, NO_USAGE),
      FLOOR,
    ).handOver;
  expect([handOverOf(50), handOverOf(100), handOverOf(150)]).toEqual([
    0.05,
    0.1,
    expect.closeTo(0.2, 10),
  ]);
});

test("run queues are divided between requests and heartbeats like the CPU", () => {
  const rest = idleUsageOf(between({}, { server: { cpuMs: 25, runQueueMs: 900 } }));
  const costs = costsOf(between({}, { server: { cpuMs: 100, runQueueMs: 40 } }), 100, rest);
  expect(costs).toMatchObject({ serverCpu: 0.75, serverRunQueue: expect.closeTo(0.3, 10) });
});

test("a heartbeat that runs while a request is in flight delays it, and is not subtracted", () => {
  const rest = idleUsageOf(between({}, { server: { cpuMs: 25 } }));
  const record = between({}, { server: { cpuMs: 100, runQueueMs: 40 } });
  const costs = costsOf(record, 100, unnoticedIdleUsage(rest, 0.6));
  expect(costs).toMatchObject({ serverCpu: 0.9, serverRunQueue: expect.closeTo(0.36, 10) });
});

test("processes that burn CPU do not change the I/O wait of requests", () => {
  const finished = { server: { cpuMs: 20 }, backends: { cpuMs: 20 }, waitedMs: 160 };
  const alone = between({}, finished);
  const contended = between(
    {},
    {
      ...finished,
      server: { cpuMs: 20, runQueueMs: 300 },
      backends: { cpuMs: 20, runQueueMs: 200 },
    },
  );
  const shares = (samples: Sample[], responseMs: number) =>
    waitSharesOf(
      { samples, isBlockIoAccounted: false },
      costsOf({ samples }, 100, NO_USAGE),
      responseMs,
      100,
    );
  expect(shares(alone.samples, 2)).toMatchObject({
    reported: 0.8,
    ofResponse: 0.8,
    ofTime: 0.16,
    blockIoDelay: null,
  });
  expect(shares(contended.samples, 7)).toMatchObject({
    reported: 0.8,
    ofResponse: expect.closeTo(1.6 / 7, 10),
  });
  expect(ioWaitShareOf(costsOf(between({}, {}), 100, NO_USAGE))).toBe(0);
});

test("the kernel's block-I/O delay of backends replaces the library's measurement if it is available", () => {
  const [from, to] = between({}, { server: { cpuMs: 100 }, waitedMs: 400 }).samples as [
    Sample,
    Sample,
  ];
  const samples = [from, { ...to, backends: { ...to.backends, blockIoMs: 300 } }];
  const shares = waitSharesOf(
    { samples, isBlockIoAccounted: true },
    costsOf({ samples }, 100, NO_USAGE),
    5,
    100,
  );
  expect(shares).toMatchObject({ reported: 0.8, blockIoDelay: 0.75 });
});
