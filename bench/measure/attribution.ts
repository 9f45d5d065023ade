import type { LoadFigures } from "../load/recording.ts";
import type { ProbeRecord } from "../probes/probes.ts";
import type { ProcessUsage, ThreadUsage } from "../probes/processes.ts";
import type { Sample } from "../probes/sampler.ts";

/**
 * What a mean response is made of, in ms. Each is measured by itself (ADR 0016), and none is what
 * the others leave, but for `unexplained`, which is below 0 when they come to more than the mean.
 * Null: not measured here.
 */
export type Attribution = {
  /** Due, and not yet sent: no connection was idle, or the generator was late. */
  beforeSend: number;
  /** CPU and waiting for a processor, of the proxy; null when it is not in the path. */
  proxy: number | null;
  /**
   * Of the thread that runs JavaScript, and of those that work is handed to; not of those that
   * collect garbage.
   */
  serverCpu: number;
  /** The same threads were ready, and others had the processor. */
  serverRunQueue: number;
  /** Behind requests sent before it, while the server's thread was theirs. */
  behindOthers: number;
  /** Waiting for a connection of the pool, as the server says. */
  poolWait: number | null;
  /** CPU and waiting for a processor, of the pooler; null when it is not in the path. */
  pooler: number | null;
  /** Of the backends; what PostgreSQL does in the background delays nobody. */
  postgresCpu: number;
  postgresRunQueue: number;
  lock: number;
  /** Own flushes and reads, blocked; a wait for a processor once they are done is a run queue. */
  disk: number;
  /** Waiting for somebody else's flush. */
  diskOfOthers: number;
  /**
   * From process to process through sockets, and waking sleeping processors: as it takes bare
   * servers at the same rate.
   */
  handOver: number;
  unexplained: number;
};

export type Segment = keyof Attribution;

/** In the order in which they are shown, with what they are called. */
export const SEGMENTS: [Segment, string][] = [
  ["beforeSend", "before it was sent"],
  ["proxy", "proxy"],
  ["serverCpu", "server CPU"],
  ["serverRunQueue", "server waiting for a core"],
  ["behindOthers", "behind others in the server"],
  ["poolWait", "waiting for a connection"],
  ["pooler", "pooler"],
  ["postgresCpu", "PostgreSQL CPU"],
  ["postgresRunQueue", "PostgreSQL waiting for a core"],
  ["lock", "locks"],
  ["disk", "disk"],
  ["diskOfOthers", "another's flush"],
  ["handOver", "sockets and waking up"],
  ["unexplained", "unexplained"],
];

/**
 * What bare servers show of passing a request on, at a rate, and what is used at rest: see
 * `measureFloor`.
 */
export type Floor = { bare: FloorPoint; withStatement: FloorPoint; rest: Rest };
export type FloorPoint = { handOverMs: number; wakes: number };

/**
 * What is used by heartbeats and timers in each ms, whether anybody asks or not: no request waits
 * for it.
 */
export type Rest = { server: ThreadUsage; backends: ThreadUsage };

/** What each of `sent` requests cost on average, between the first sample and the last. */
export type Costs = Omit<
  Attribution,
  "beforeSend" | "behindOthers" | "handOver" | "unexplained"
> & {
  /** How often the server's thread slept and was woken. */
  wakes: number;
  /** All CPU of the server and of PostgreSQL, whoever waited for it. */
  serverTotalCpu: number;
  postgresTotalCpu: number;
  flushes: number;
};

/**
 * `rest` is what would have been used without them; of run queues they have the same share as of
 * the CPU.
 */
export function costsOf(
  { samples }: Pick<ProbeRecord, "samples">,
  sent: number,
  rest: Rest,
): Costs {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const each = (of: (sample: Sample) => number, perMs = 0) =>
    Math.max(of(last) - of(first) - perMs * (last.atMs - first.atMs), 0) / sent;
  const both = (who: "proxy" | "pooler") =>
    last[who] && each((sample) => (sample[who] ? cpuOf(sample[who]) + runQueueOf(sample[who]) : 0));
  const disk = each(({ disk }) => disk.waitedMs);
  const used = (who: "server" | "backends") => {
    const cpu = each((sample) => cpuOf(sample[who]), rest[who].cpuMs);
    const share =
      cpu /
      Math.max(
        each((sample) => cpuOf(sample[who])),
        Number.MIN_VALUE,
      );
    return { cpu, runQueue: share * each((sample) => runQueueOf(sample[who])) };
  };
  const [server, backends] = [used("server"), used("backends")];
  return {
    proxy: both("proxy"),
    serverCpu: server.cpu,
    serverRunQueue: server.runQueue,
    poolWait: poolWaitOf(first, last, sent),
    pooler: both("pooler"),
    postgresCpu: backends.cpu,
    postgresRunQueue: backends.runQueue,
    lock: waitedMs(first, last, "lock") / sent,
    disk,
    diskOfOthers: diskOfOthersOf(first, last, sent, disk),
    wakes: each(({ server }) => server.main.wakes, rest.server.wakes),
    serverTotalCpu: each(({ server }) => server.totalCpuMs),
    postgresTotalCpu: each(({ backends, background }) => cpuOf(backends) + cpuOf(background)),
    flushes: each(({ disk: { flushes } }) => flushes),
  };
}

const cpuOf = ({ main, pool }: ProcessUsage) => main.cpuMs + pool.cpuMs;
const runQueueOf = ({ main, pool }: ProcessUsage) => main.runQueueMs + pool.runQueueMs;

/** What a sampling during which nobody asked for anything shows. */
export function restOf({ samples }: Pick<ProbeRecord, "samples">): Rest {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const perMs = (of: (sample: Sample) => ProcessUsage): ThreadUsage => {
    const [from, to] = [of(first), of(last)];
    const each = (now: number, then: number) => (now - then) / (last.atMs - first.atMs);
    return {
      cpuMs: each(cpuOf(to), cpuOf(from)),
      runQueueMs: each(runQueueOf(to), runQueueOf(from)),
      wakes: each(to.main.wakes, from.main.wakes),
      preemptions: each(to.main.preemptions, from.main.preemptions),
    };
  };
  return { server: perMs(({ server }) => server), backends: perMs(({ backends }) => backends) };
}

/**
 * What nobody waited for of `rest`: a heartbeat that runs while a request is on its way
 * (`onWayShareOf`) holds it up.
 */
export const restUnnoticed = ({ server, backends }: Rest, onWayShare: number): Rest => ({
  server: { ...server, cpuMs: server.cpuMs * (1 - onWayShare) },
  backends,
});

/**
 * Splits the mean response of requests that cost `costs` and were on their way for `overlapMs`
 * together with one that was sent before (`overlapMsOf`).
 */
export function attributionOf(
  { sendLagMs, responseMs }: LoadFigures,
  overlapMs: number,
  costs: Costs,
  floor: Floor,
): Attribution {
  const elsewhere = { ...onPath(costs), handOver: handOverOf(costs.wakes, floor) };
  const inThread = costs.serverCpu + costs.serverRunQueue;
  const measured = {
    beforeSend: sendLagMs.mean,
    ...elsewhere,
    // The others were in the server's thread for as much of the time as requests are.
    behindOthers: overlapMs * (inThread / Math.max(sumOf(elsewhere), Number.MIN_VALUE)),
  };
  return { ...measured, unexplained: responseMs.mean - sumOf(measured) };
}

/**
 * Without what is explained by nothing, as a share of the mean response; above 1 when segments
 * overlap.
 */
export function explainedShare(attribution: Attribution): number {
  const { unexplained, ...measured } = attribution;
  const sum = sumOf(measured);
  return sum / (sum + unexplained);
}

/**
 * The I/O wait that is reported: of the time in which something was done for requests, what the
 * disk had of it. Done is what CPU was used for and the disk waited for. What others kept from
 * being done (run queues) is in neither part, or a busy neighbour would make the disk seem faster
 * than it is.
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
 * What a bare server's requests took on average beyond CPU and run queues, which are parts of their
 * own wherever this is used. `costs` of PostgreSQL count when it is asked.
 */
export function floorPointOf(
  { serviceMs }: LoadFigures,
  costs: Costs,
  isAsking: boolean,
): FloorPoint {
  const { serverCpu, serverRunQueue, postgresCpu, postgresRunQueue, wakes } = costs;
  const inPostgres = isAsking ? postgresCpu + postgresRunQueue : 0;
  return {
    handOverMs: Math.max(serviceMs.mean - serverCpu - serverRunQueue - inPostgres, 0),
    wakes,
  };
}

const POOL_WAIT = "irontrack_pool_wait_seconds_sum";

function onPath(
  costs: Costs,
): Omit<Attribution, "beforeSend" | "behindOthers" | "handOver" | "unexplained"> {
  const {
    wakes: _wakes,
    serverTotalCpu: _server,
    postgresTotalCpu: _postgres,
    flushes: _flushes,
    ...path
  } = costs;
  return path;
}

/**
 * On the line through a server that is woken once for a request, and one that is woken again by the
 * database. Of requests that found the server awake, some were not passed on to one that slept.
 */
function handOverOf(wakes: number, { bare, withStatement }: Floor): number {
  if (wakes <= bare.wakes) return bare.handOverMs * (wakes / bare.wakes);
  const moreWakes = Math.max(withStatement.wakes - bare.wakes, 0.1);
  const perWake = Math.max(withStatement.handOverMs - bare.handOverMs, 0) / moreWakes;
  return bare.handOverMs + (wakes - bare.wakes) * perWake;
}

const sumOf = (segments: Record<string, number | null>): number =>
  Object.values(segments).reduce<number>((sum, ms) => sum + (ms ?? 0), 0);

/**
 * How long backends were in a state, all together: the share of looks that saw one, times the time
 * looked at.
 */
function waitedMs(first: Sample, last: Sample, state: keyof Sample["waits"]["seen"]): number {
  const looks = last.waits.looks - first.waits.looks;
  const seen = last.waits.seen[state] - first.waits.seen[state];
  return looks === 0 ? 0 : (seen / looks) * (last.atMs - first.atMs);
}

/** So many must have been seen flushing that their number says something. */
const ENOUGH_SEEN = 30;

/**
 * Own flushes are measured exactly, those of others are seen in looks only. Where enough of both
 * were seen, the exact one says how long a look stands for.
 */
function diskOfOthersOf(first: Sample, last: Sample, sent: number, diskMs: number): number {
  const seen = (what: "disk" | "diskOfOthers") => last.waits.seen[what] - first.waits.seen[what];
  if (seen("disk") >= ENOUGH_SEEN) return (seen("diskOfOthers") / seen("disk")) * diskMs;
  return waitedMs(first, last, "diskOfOthers") / sent;
}

function poolWaitOf(
  { metrics: from }: Sample,
  { metrics: to }: Sample,
  sent: number,
): number | null {
  const sum = to?.[POOL_WAIT];
  return sum === undefined ? null : ((sum - (from?.[POOL_WAIT] ?? 0)) * 1000) / sent;
}
