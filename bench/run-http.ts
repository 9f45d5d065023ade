import type { Asked } from "./counts.ts";
import { HDD } from "./disk/spindle.ts";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import { type Interval, intervalOf } from "./interval.ts";
import { type ArrivalModel, arrivalsOf } from "./load/arrivals.ts";
import { figuresOf, type LoadFigures, type Recording } from "./load/recording.ts";
import { type OneRun, requestsOf, runSeveral } from "./load/runs.ts";
import { type Disturbance, doubtsOf, watchDisturbance } from "./load/validity.ts";
import { type Probes, type Sample, startProbes } from "./probes.ts";
import { openStand, type Stand } from "./stand.ts";
import { askedOf, type LoadScenario, makeWorlds, PEOPLE } from "./suites/load-scenario.ts";
import type { World } from "./suites/world.ts";

/** What a mean response is made of, in ms: exact where it can be counted, the rest named as such. */
export type Attribution = {
  /** Due, and not yet sent: no connection was idle, or the generator was late. */
  beforeSend: number;
  serverCpu: number;
  postgresCpu: number;
  /** PostgreSQL waited for the disk: for its own flushes and reads, not for another's. */
  disk: number;
  /** Sockets, the scheduler, locks, the pool, and waiting for somebody else's flush. */
  rest: number;
};

export type SecondFigures = { second: number; p50Ms: number; p99Ms: number | null; perSecond: number };

export type ScenarioResult = {
  operation: string;
  offeredPerSecond: number;
  /** Of all runs together; intervals are over `runs`, each of which is one sample. */
  figures: LoadFigures;
  runs: { meanMs: number; p50Ms: number | null; p99Ms: number | null; perSecond: number }[];
  intervals: { meanMs: Interval; p50Ms: Interval | null };
  /** Of a mix: the figures of each operation in it. */
  parts: { operation: string; figures: LoadFigures }[];
  /** How long the warm-up took; null when responses had not settled. */
  settledAfterS: number | null;
  disturbance: Disturbance;
  attribution: Attribution;
  seconds: SecondFigures[];
  /** Response times in ms at shares of 0 to 1, for the curve. */
  curve: { share: number; ms: number }[];
  flushesPerRequest: number;
  generatorCpuShare: number;
  probes: { samples: Sample[]; ownCpuShare: number };
  /** Empty when the figures may be believed. */
  doubts: string[];
};

export type RunResult = { format: 2; host: Fingerprint; profile: Profile; results: ScenarioResult[] };
export type Profile = "native" | "hdd";
export type RunOptions = {
  /** Requests a second; of a ramp, at its beginning. */
  rate: number;
  toRate?: number;
  model: ArrivalModel;
  /** Of each run, and how many of them there are. */
  seconds: number;
  runs: number;
  warmUpS: { least: number; most: number };
  profile: Profile;
  onStep(step: string): void;
  /** Given the raw times of every request of a scenario, and which operation each was. */
  onRaw?(operation: string, each: OneRun[], operations: string[]): void;
};

/** Short enough that ten scenarios take less than six minutes. */
export const USUAL_RUN = { rate: 100, model: "poisson", seconds: 6, runs: 3, warmUpS: { least: 5, most: 10 } } as const;

const CONNECTIONS = 32;

/** Runs scenarios one after the other on one stand, each several times. */
export async function runScenarios(scenarios: LoadScenario[], options: RunOptions): Promise<RunResult> {
  const stand = await openStand(options.profile === "hdd" ? { disk: HDD } : {});
  try {
    const [version] = await stand.db.sql<{ version: string }[]>`select current_setting('server_version') as version`;
    const results: ScenarioResult[] = [];
    for (const scenario of scenarios) {
      options.onStep(scenario.operation);
      // People of their own: what one scenario writes is not what the next one reads.
      const worlds = await makeWorlds(stand, scenario.people ?? PEOPLE);
      results.push(await runScenario(stand, worlds, scenario, options));
    }
    return { format: 2, host: fingerprint(version?.version ?? "?"), profile: options.profile, results };
  } finally {
    await stand.close();
  }
}

async function runScenario(
  stand: Stand,
  worlds: World[],
  scenario: LoadScenario,
  options: RunOptions,
): Promise<ScenarioResult> {
  const { operation } = scenario;
  const { seconds, runs, warmUpS } = options;
  const { model, rate, toRate } = ratesOf(scenario, options);
  const most = requestsOf(Math.max(rate, toRate), warmUpS.most, runs, seconds);
  options.onStep(`${operation}: ${most} requests are made`);
  const asked = await askedOf(worlds, scenario, most);
  await stand.db.sql`vacuum analyze`;
  await stand.db.sql`checkpoint`;
  options.onStep(`${operation}: warm-up`);
  let probes: Probes | undefined;
  let disturbed: (() => Disturbance) | undefined;
  const { recording, places, each, settledAfterS, sent, generatorCpuMs } = await runSeveral({
    target: { unix: stand.server.socketPath },
    requests: asked.map(onWire),
    connections: CONNECTIONS,
    load: (durationMs, seed) => arrivalsOf({ model, rate, toRate, durationMs, seed }),
    ...{ warmUpRate: rate, warmUpS, runs, seconds },
    onWarm: () => {
      options.onStep(`${operation}: ${runs} runs of ${seconds} s`);
      probes = startProbes(stand);
      disturbed = watchDisturbance(stand.server.pid);
    },
  });
  const disturbance = (disturbed as () => Disturbance)();
  const { samples, ownCpuMs } = (probes as Probes).stop();
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const figures = figuresOf(recording);
  const perRequest = (of: (sample: Sample) => number) => (of(last) - of(first)) / sent;
  const lasted = last.atMs - first.atMs;
  const cpu = {
    server: perRequest((sample) => sample.serverCpuMs),
    postgres: perRequest((sample) => sample.postgresCpuMs),
  };
  const disk = perRequest((sample) => sample.diskWaitMs);
  const known = figures.sendLagMs.mean + cpu.server + cpu.postgres + disk;
  const operations = Array.from(places, (place) => asked[place]?.operation ?? operation);
  options.onRaw?.(operation, each, operations);
  const mean = (of: (run: OneRun) => number) => intervalOf(each.map(of)).mean;
  const offered = mean((run) => run.offered);
  const runOf = ({ figures: { responseMs }, achieved }: OneRun) => ({
    meanMs: responseMs.mean,
    p50Ms: responseMs.percentiles[0.5] ?? null,
    p99Ms: responseMs.percentiles[0.99] ?? null,
    perSecond: achieved,
  });
  const p50s = each.flatMap((run) => runOf(run).p50Ms ?? []);
  return {
    operation,
    offeredPerSecond: model === "closed" ? offered : (rate + toRate) / 2,
    figures,
    runs: each.map(runOf),
    intervals: {
      meanMs: intervalOf(each.map((run) => runOf(run).meanMs)),
      p50Ms: p50s.length === each.length ? intervalOf(p50s) : null,
    },
    parts: partsOf(recording, operations),
    settledAfterS,
    disturbance,
    attribution: {
      beforeSend: figures.sendLagMs.mean,
      serverCpu: cpu.server,
      postgresCpu: cpu.postgres,
      disk,
      rest: Math.max(figures.responseMs.mean - known, 0),
    },
    seconds: secondsOf(recording),
    curve: curveOf(recording),
    flushesPerRequest: perRequest((sample) => sample.flushes),
    generatorCpuShare: generatorCpuMs / lasted,
    probes: { samples, ownCpuShare: ownCpuMs / lasted },
    doubts: doubtsOf({
      figures,
      rate: model === "closed" ? undefined : { offered, achieved: mean((run) => run.achieved) },
      disturbance,
      isSettled: settledAfterS !== null,
    }),
  };
}

/** A scenario that is about how requests come says so itself; `rate` is then what it rises to. */
function ratesOf({ load }: LoadScenario, { model, rate, toRate = rate }: RunOptions) {
  return load ? { model: load.model, rate: rate * load.fromShare, toRate: rate } : { model, rate, toRate };
}

/** The figures of each operation of a mix, by name; none of a scenario that is one operation. */
function partsOf(recording: Recording, operations: string[]): ScenarioResult["parts"] {
  const names = [...new Set(operations)].sort();
  if (names.length < 2) return [];
  const only = <Column extends Float64Array | Uint16Array | Uint32Array>(column: Column, name: string) =>
    column.filter((_, at) => operations[at] === name) as Column;
  return names.map((name) => ({
    operation: name,
    figures: figuresOf({
      due: only(recording.due, name),
      sent: only(recording.sent, name),
      done: only(recording.done, name),
      status: only(recording.status, name),
      bodyBytes: only(recording.bodyBytes, name),
    }),
  }));
}

/** A request as it goes over the wire. */
function onWire({ method, path, headers = {}, body }: Asked): string {
  const length = typeof body === "string" ? Buffer.byteLength(body) : 0;
  const lines = Object.entries({
    Host: "localhost",
    ...headers,
    ...(body ? { "Content-Length": String(length) } : {}),
  });
  const head = `${method} ${path} HTTP/1.1\r\n${lines.map(([name, value]) => `${name}: ${value}`).join("\r\n")}\r\n\r\n`;
  if (body !== undefined && typeof body !== "string")
    throw new Error(`${path} takes a file, which is not put under load`);
  return `${head}${body ?? ""}`;
}

function responses({ due, done, status }: Recording): { atMs: number; ms: number }[] {
  return Array.from(due, (atMs, at) => ({ atMs, ms: (done[at] as number) - atMs, status: status[at] as number }))
    .filter(({ status: answered }) => answered >= 200 && answered < 400)
    .map(({ atMs, ms }) => ({ atMs, ms }));
}

function secondsOf(recording: Recording): SecondFigures[] {
  const bySecond = Map.groupBy(responses(recording), ({ atMs }) => Math.floor(atMs / 1000));
  return [...bySecond]
    .sort(([a], [b]) => a - b)
    .map(([second, answers]) => {
      const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
      const p99Ms = sorted.length >= 100 ? at(0.99) : null;
      return { second, p50Ms: at(0.5), p99Ms, perSecond: sorted.length };
    });
}

/** As many points as a curve needs, closer together towards its end. */
function curveOf(recording: Recording): { share: number; ms: number }[] {
  const sorted = responses(recording)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  const points: { share: number; ms: number }[] = [];
  for (let beyond = 1; beyond * sorted.length >= 1; beyond *= 0.85) {
    const share = 1 - beyond;
    points.push({ share, ms: sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] as number });
  }
  return points;
}
