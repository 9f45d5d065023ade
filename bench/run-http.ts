import { HDD } from "./disk/spindle.ts";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import { type Interval, intervalOf } from "./interval.ts";
import { figuresOf, type LoadFigures, type Recording } from "./load/recording.ts";
import { type OneRun, runSeveral } from "./load/runs.ts";
import { type Disturbance, doubtsOf, watchDisturbance } from "./load/validity.ts";
import { onWire } from "./load/wire.ts";
import { type LoadOptions, loadPlanOf } from "./load-plan.ts";
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
export type RunOptions = LoadOptions & {
  profile: Profile;
  onStep(step: string): void;
  /** Given the raw times of every request of a scenario, and what each asked for. */
  onRaw?(raw: RawRuns): void;
};

export type RawRuns = { operation: string; each: OneRun[]; asked: { operation: string; person: number }[] };

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
  const { plan, requests, offered, isClosed } = loadPlanOf(scenario, options);
  options.onStep(`${operation}: ${requests} requests are made`);
  const asked = await askedOf(worlds, scenario, requests);
  await stand.db.sql`vacuum analyze`;
  await stand.db.sql`checkpoint`;
  options.onStep(`${operation}: warm-up`);
  let probes: Probes | undefined;
  let disturbed: (() => Disturbance) | undefined;
  const { recording, places, each, settledAfterS, sent, generatorCpuMs } = await runSeveral({
    target: { unix: stand.server.socketPath },
    requests: asked.map(onWire),
    connections: CONNECTIONS,
    ...plan,
    onWarm: () => {
      options.onStep(`${operation}: ${plan.runs} runs of ${plan.seconds.toFixed(0)} s`);
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
  const personOf = scenario.personOf ?? ((n: number) => n % worlds.length);
  const sentBy = operations.map((name, at) => ({ operation: name, person: personOf(places[at] as number) }));
  options.onRaw?.({ operation, each, asked: sentBy });
  const mean = (of: (run: OneRun) => number) => intervalOf(each.map(of)).mean;
  const runOf = ({ figures: { responseMs }, achieved }: OneRun) => ({
    meanMs: responseMs.mean,
    p50Ms: responseMs.percentiles[0.5] ?? null,
    p99Ms: responseMs.percentiles[0.99] ?? null,
    perSecond: achieved,
  });
  const p50s = each.flatMap((run) => runOf(run).p50Ms ?? []);
  return {
    operation,
    offeredPerSecond: isClosed ? mean((run) => run.offered) : offered,
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
      rate: isClosed ? undefined : { offered: mean((run) => run.offered), achieved: mean((run) => run.achieved) },
      disturbance,
      isSettled: settledAfterS !== null,
    }),
  };
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
