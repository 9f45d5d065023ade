import type { Asked } from "./counts.ts";
import type { DiskCheck } from "./disk/check.ts";
import type { ProfileName } from "./disk/profiles.ts";
import { type Fingerprint, fingerprint } from "./fingerprint.ts";
import { figuresOf, type LoadFigures, type Recording } from "./load/recording.ts";
import { runLoad } from "./load/run.ts";
import { type Sample, startProbes } from "./probes.ts";
import { openStand, type Stand } from "./stand.ts";
import { HTTP_SCENARIOS } from "./suites/http.ts";
import { makeWorld, type Scenario, type World } from "./suites/world.ts";

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
  figures: LoadFigures;
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

export type RunResult = {
  format: 1;
  host: Fingerprint;
  profile: ProfileName;
  /** As it was just before the first scenario; with doubts the run is void. */
  disk: DiskCheck;
  isCold: boolean;
  results: ScenarioResult[];
};
export type RunOptions = {
  rate: number;
  seconds: number;
  profile: ProfileName;
  /** Each scenario begins with none of the database in memory. */
  isCold: boolean;
  onStep(step: string): void;
};

/** What people do most, when no scenario is named. */
export const USUAL = [
  "Ping",
  "AccountProfile",
  "ListExercises",
  "GetExercise",
  "ListWorkouts",
  "GetWorkout",
  "StartWorkout",
  "LogSet",
  "GetRecords",
  "ListVolume",
];

const WARM_UP_S = 2;
const CONNECTIONS = 32;
const WORLDS = 8;

/** Runs scenarios one after the other on one stand, each under Poisson arrivals at `rate` a second. */
export async function runHttp(names: string[], options: RunOptions): Promise<RunResult> {
  const stand = await openStand({ profile: options.profile });
  try {
    const [version] = await stand.db.sql<{ version: string }[]>`select current_setting('server_version') as version`;
    options.onStep("the disk");
    const disk = await stand.checkDisk();
    const results: ScenarioResult[] = [];
    for (const scenario of HTTP_SCENARIOS.filter(({ operation }) => names.includes(operation))) {
      options.onStep(scenario.operation);
      // People of their own: what one scenario writes is not what the next one reads. Several, because writes of one
      // person wait for one another.
      const worlds: World[] = [];
      stand.disk.turn(false);
      for (let n = 0; n < WORLDS; n++) worlds.push(await makeWorld(stand));
      results.push(await runScenario(stand, worlds, scenario, options));
    }
    const { profile, isCold } = options;
    return { format: 1, host: fingerprint(version?.version ?? "?"), profile, disk, isCold, results };
  } finally {
    await stand.close();
  }
}

async function runScenario(
  stand: Stand,
  worlds: World[],
  { operation, request }: Scenario,
  { rate, seconds, isCold }: RunOptions,
): Promise<ScenarioResult> {
  const count = Math.ceil(rate * (seconds + WARM_UP_S) * 1.3) + 50;
  const requests: string[] = [];
  for (let n = 0; n < count; n++) requests.push(onWire(await request(worlds[n % WORLDS] as World, n)));
  await stand.db.sql`vacuum analyze`;
  if (isCold) await stand.cool();
  stand.disk.turn(true);
  const probes = startProbes(stand);
  const { recording, generatorCpuMs } = await runLoad({
    target: { unix: stand.server.socketPath },
    requests,
    connections: CONNECTIONS,
    load: { model: "poisson", rate, durationMs: (seconds + WARM_UP_S) * 1000, seed: 1 },
  });
  const { samples, ownCpuMs } = probes.stop();
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const figures = figuresOf(recording, WARM_UP_S * 1000);
  const all = recording.due.length;
  const each = (of: (sample: Sample) => number) => (of(last) - of(first)) / all;
  const lasted = last.atMs - first.atMs;
  const cpu = { server: each((sample) => sample.serverCpuMs), postgres: each((sample) => sample.postgresCpuMs) };
  const disk = each((sample) => sample.diskWaitMs);
  const known = figures.sendLagMs.mean + cpu.server + cpu.postgres + disk;
  return {
    operation,
    offeredPerSecond: rate,
    figures,
    attribution: {
      beforeSend: figures.sendLagMs.mean,
      serverCpu: cpu.server,
      postgresCpu: cpu.postgres,
      disk,
      rest: Math.max(figures.responseMs.mean - known, 0),
    },
    seconds: secondsOf(recording),
    curve: curveOf(recording),
    flushesPerRequest: each((sample) => sample.flushes),
    generatorCpuShare: generatorCpuMs / lasted,
    probes: { samples, ownCpuShare: ownCpuMs / lasted },
    doubts: doubtsOf(figures, rate),
  };
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

/** Why figures should not be believed: rules of BENCH.md §6b. */
function doubtsOf({ failures, sendLagMs, responseMs, perSecond }: LoadFigures, rate: number): string[] {
  const doubts: string[] = [];
  const most = Math.max(1, (responseMs.percentiles[0.5] ?? 0) * 0.05);
  if (failures > 0) doubts.push(`${failures} failures`);
  if ((sendLagMs.percentiles[0.99] ?? 0) > most) doubts.push("requests were sent late");
  if (perSecond < rate * 0.95) doubts.push("the rate was not reached");
  return doubts;
}

function responses({ due, done, status }: Recording): { atMs: number; ms: number }[] {
  return Array.from(due, (atMs, at) => ({ atMs, ms: (done[at] as number) - atMs, status: status[at] as number }))
    .filter(({ atMs, status: answered }) => atMs >= WARM_UP_S * 1000 && answered >= 200 && answered < 400)
    .map(({ atMs, ms }) => ({ atMs: atMs - WARM_UP_S * 1000, ms }));
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
