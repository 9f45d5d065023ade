import type { DiskCheck } from "./disk/check.ts";
import type { ProfileName } from "./disk/profiles.ts";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import type { LoadFigures, Recording } from "./load/recording.ts";
import { type OneRun, runSeveral } from "./load/runs.ts";
import { type Disturbance, doubtsOf, watchDisturbance } from "./load/validity.ts";
import { onWire } from "./load/wire.ts";
import { type LoadOptions, loadPlanOf } from "./load-plan.ts";
import { type Probes, type Sample, startProbes } from "./probes.ts";
import { figuresOfRuns, type RunFigures } from "./run-figures.ts";
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

export type ScenarioResult = RunFigures & {
  operation: string;
  offeredPerSecond: number;
  /** How long the warm-up took; null when responses had not settled. */
  settledAfterS: number | null;
  disturbance: Disturbance;
  attribution: Attribution;
  flushesPerRequest: number;
  generatorCpuShare: number;
  probes: { samples: Sample[]; ownCpuShare: number };
  /** Empty when the figures may be believed. */
  doubts: string[];
};

export type RunResult = {
  format: 2;
  host: Fingerprint;
  profile: ProfileName;
  /** As it was just before the first scenario; with doubts the run is void. */
  disk: DiskCheck;
  isCold: boolean;
  results: ScenarioResult[];
};
export type RunOptions = LoadOptions & {
  profile: ProfileName;
  /** Each scenario begins with none of the database in memory. */
  isCold: boolean;
  onStep(step: string): void;
  /** Given the raw times of every request of a scenario, and what each asked for. */
  onRaw?(raw: RawRuns): void;
};

export type RawRuns = {
  operation: string;
  /** All runs, one after the other, and each. */
  recording: Recording;
  each: OneRun[];
  /** What each request asked for, and who of the people. */
  asked: { operation: string; person: number }[];
};

const CONNECTIONS = 32;

/** Runs scenarios one after the other on one stand, each several times; a cold one once, as the next would be warm. */
export async function runScenarios(scenarios: LoadScenario[], options: RunOptions): Promise<RunResult> {
  const stand = await openStand({ profile: options.profile });
  try {
    const [version] = await stand.db.sql<{ version: string }[]>`select current_setting('server_version') as version`;
    options.onStep("the disk");
    const disk = await stand.checkDisk();
    const results: ScenarioResult[] = [];
    for (const scenario of scenarios) {
      options.onStep(scenario.operation);
      // People of their own: what one scenario writes is not what the next one reads.
      stand.disk.turn(false);
      const worlds = await makeWorlds(stand, scenario.people ?? PEOPLE);
      results.push(await runScenario(stand, worlds, scenario, options));
    }
    const { profile, isCold } = options;
    return { format: 2, host: fingerprint(version?.version ?? "?"), profile, disk, isCold, results };
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
  const { plan, requests, offered, isClosed } = loadPlanOf(scenario, options.isCold ? once(options) : options);
  options.onStep(`${operation}: ${requests} requests are made`);
  const asked = await askedOf(worlds, scenario, requests);
  await stand.db.sql`vacuum analyze`;
  await stand.db.sql`checkpoint`;
  if (options.isCold) await stand.cool();
  stand.disk.turn(true);
  options.onStep(`${operation}: warm-up`);
  const watched = { probes: undefined as Probes | undefined, disturbance: watchDisturbance(stand.server.pid) };
  const runs = await runSeveral({
    target: { unix: stand.server.socketPath },
    requests: asked.map(onWire),
    connections: CONNECTIONS,
    ...plan,
    onWarm: () => {
      options.onStep(`${operation}: ${plan.runs} runs of ${plan.seconds.toFixed(0)} s`);
      watched.probes = startProbes(stand);
      watched.disturbance = watchDisturbance(stand.server.pid);
    },
  });
  const disturbance = watched.disturbance();
  const { samples, ownCpuMs } = (watched.probes as Probes).stop();
  const personOf = scenario.personOf ?? ((n: number) => n % worlds.length);
  const sent = Array.from(runs.places, (n) => ({ operation: asked[n]?.operation ?? operation, person: personOf(n) }));
  options.onRaw?.({ operation, recording: runs.recording, each: runs.each, asked: sent });
  const of = figuresOfRuns(
    runs,
    sent.map((one) => one.operation),
  );
  const achieved = meanOf(of.runs.map((run) => run.achieved));
  const due = meanOf(of.runs.map((run) => run.offered));
  const lastedMs = (samples.at(-1)?.atMs ?? 0) - (samples[0]?.atMs ?? 0);
  return {
    ...of,
    operation,
    offeredPerSecond: isClosed ? achieved : offered,
    settledAfterS: runs.settledAfterS,
    disturbance,
    ...attributionOf(of.figures, samples, runs.sent),
    generatorCpuShare: runs.generatorCpuMs / lastedMs,
    probes: { samples, ownCpuShare: ownCpuMs / lastedMs },
    doubts: doubtsOf({
      figures: of.figures,
      rate: isClosed ? undefined : { offered: due, achieved },
      disturbance,
      isSettled: runs.settledAfterS !== null,
    }),
  };
}

/** As long as all runs together, and not warmed up. */
const once = (options: RunOptions): RunOptions => ({
  ...options,
  seconds: options.seconds * options.runs,
  runs: 1,
  warmUpS: { least: 0, most: 0 },
});

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** What `sent` requests cost on average between the first sample and the last, as parts of their mean response. */
function attributionOf({ sendLagMs, responseMs }: LoadFigures, samples: Sample[], sent: number) {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const each = (of: (sample: Sample) => number) => (of(last) - of(first)) / sent;
  const known = {
    beforeSend: sendLagMs.mean,
    serverCpu: each((sample) => sample.serverCpuMs),
    postgresCpu: each((sample) => sample.postgresCpuMs),
    disk: each((sample) => sample.diskWaitMs),
  };
  const sum = Object.values(known).reduce((total, ms) => total + ms, 0);
  const attribution: Attribution = { ...known, rest: Math.max(responseMs.mean - sum, 0) };
  return { attribution, flushesPerRequest: each((sample) => sample.flushes) };
}
