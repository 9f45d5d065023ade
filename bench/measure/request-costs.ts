import type { ProbeRecord } from "../probes/probes.ts";
import type { ProcessUsage, ThreadUsage } from "../probes/processes.ts";
import type { Sample } from "../probes/sampler.ts";
import type { Attribution } from "./segments.ts";

/** The average cost of each of `sent` requests, from the first sample to the last. */
export type Costs = Omit<
  Attribution,
  "beforeSend" | "behindOthers" | "handOver" | "unexplained"
> & {
  /** How often the server's JavaScript thread was woken. */
  wakes: number;
  /** All CPU of the server and of PostgreSQL, including what no request waits for. */
  serverTotalCpu: number;
  postgresTotalCpu: number;
  flushes: number;
};

/**
 * The usage of heartbeats and timers for each ms, with and without requests. Requests do not wait
 * for it.
 */
export type IdleUsage = { server: ThreadUsage; backends: ThreadUsage };

/**
 * Costs of a request without idle usage, which is subtracted from the CPU; run queues are reduced
 * by the same share.
 */
export function costsOf(
  { samples }: Pick<ProbeRecord, "samples">,
  requests: number,
  rest: IdleUsage,
): Costs {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const perRequest = (of: (sample: Sample) => number, perMs = 0) =>
    Math.max(of(last) - of(first) - perMs * (last.atMs - first.atMs), 0) / requests;
  const usageOf = (who: "proxy" | "pooler") =>
    last[who] &&
    perRequest((sample) => (sample[who] ? cpuOf(sample[who]) + runQueueOf(sample[who]) : 0));
  const disk = perRequest(({ disk }) => disk.waitedMs);
  const netUsage = (who: "server" | "backends") => {
    const cpu = perRequest((sample) => cpuOf(sample[who]), rest[who].cpuMs);
    const share =
      cpu /
      Math.max(
        perRequest((sample) => cpuOf(sample[who])),
        Number.MIN_VALUE,
      );
    return { cpu, runQueue: share * perRequest((sample) => runQueueOf(sample[who])) };
  };
  const [server, backends] = [netUsage("server"), netUsage("backends")];
  return {
    proxy: usageOf("proxy"),
    serverCpu: server.cpu,
    serverRunQueue: server.runQueue,
    poolWait: poolWaitOf(first, last, requests),
    pooler: usageOf("pooler"),
    postgresCpu: backends.cpu,
    postgresRunQueue: backends.runQueue,
    lock: waitedMs(first, last, "lock") / requests,
    disk,
    diskOfOthers: diskOfOthersOf(first, last, requests, disk),
    wakes: perRequest(({ server }) => server.main.wakes, rest.server.wakes),
    serverTotalCpu: perRequest(({ server }) => server.totalCpuMs),
    postgresTotalCpu: perRequest(({ backends, background }) => cpuOf(backends) + cpuOf(background)),
    flushes: perRequest(({ disk: { flushes } }) => flushes),
  };
}

const cpuOf = ({ main, pool }: ProcessUsage) => main.cpuMs + pool.cpuMs;
const runQueueOf = ({ main, pool }: ProcessUsage) => main.runQueueMs + pool.runQueueMs;

/** Idle usage: computed from samples without requests. */
export function idleUsageOf({ samples }: Pick<ProbeRecord, "samples">): IdleUsage {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const perMs = (of: (sample: Sample) => ProcessUsage): ThreadUsage => {
    const [from, to] = [of(first), of(last)];
    const perRequest = (now: number, then: number) => (now - then) / (last.atMs - first.atMs);
    return {
      cpuMs: perRequest(cpuOf(to), cpuOf(from)),
      runQueueMs: perRequest(runQueueOf(to), runQueueOf(from)),
      wakes: perRequest(to.main.wakes, from.main.wakes),
      preemptions: perRequest(to.main.preemptions, from.main.preemptions),
    };
  };
  return { server: perMs(({ server }) => server), backends: perMs(({ backends }) => backends) };
}

/**
 * The idle usage that no request waited for: a heartbeat delays a request that is in flight
 * (`inFlightShareOf`).
 */
export const unnoticedIdleUsage = (
  { server, backends }: IdleUsage,
  inFlightShare: number,
): IdleUsage => ({
  server: { ...server, cpuMs: server.cpuMs * (1 - inFlightShare) },
  backends,
});

/**
 * The reported share of I/O wait: waiting for the disk ÷ (waiting for the disk + CPU). Run queues
 * are left out, so that a busy neighbour does not make the disk seem faster.
 */
export function ioWaitShareOf({
  serverCpu,
  proxy,
  pooler,
  postgresCpu,
  disk,
  diskOfOthers,
}: Costs): number {
  const waited = disk + diskOfOthers;
  return (
    waited /
    Math.max(waited + serverCpu + (proxy ?? 0) + (pooler ?? 0) + postgresCpu, Number.MIN_VALUE)
  );
}

/**
 * How long backends were in a state in total: the share of samples in that state times the sampled
 * time.
 */
function waitedMs(first: Sample, last: Sample, state: keyof Sample["waits"]["seen"]): number {
  const looks = last.waits.looks - first.waits.looks;
  const seen = last.waits.seen[state] - first.waits.seen[state];
  return looks === 0 ? 0 : (seen / looks) * (last.atMs - first.atMs);
}

/** Enough samples of flushes to scale by. */
const MIN_FLUSH_SAMPLES = 30;

/**
 * Own flushes are measured exactly, those of other backends only sampled. With enough samples of
 * both, the exact time gives the time that a sample stands for.
 */
function diskOfOthersOf(first: Sample, last: Sample, requests: number, diskMs: number): number {
  const seen = (what: "disk" | "diskOfOthers") => last.waits.seen[what] - first.waits.seen[what];
  if (seen("disk") >= MIN_FLUSH_SAMPLES) return (seen("diskOfOthers") / seen("disk")) * diskMs;
  return waitedMs(first, last, "diskOfOthers") / requests;
}

const POOL_WAIT = "irontrack_pool_wait_seconds_sum";

function poolWaitOf(
  { metrics: from }: Sample,
  { metrics: to }: Sample,
  requests: number,
): number | null {
  const sum = to?.[POOL_WAIT];
  return sum === undefined ? null : ((sum - (from?.[POOL_WAIT] ?? 0)) * 1000) / requests;
}
