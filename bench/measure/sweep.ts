import type { ProfileName } from "../disk/profiles.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { maxRequestsOf, runSeveral } from "../load/runs.ts";
import { findValidityWarnings, watchDisturbance } from "../load/validity.ts";
import { encodeRequest } from "../load/wire.ts";
import { cpuNsOf } from "../probes/cpu-time.ts";
import { type LoadScenario, PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { serverVersion } from "../testbed/embedded-postgres.ts";
import { type Fixtures, makeFixtureSets } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed } from "../testbed/testbed.ts";
import {
  answersFor,
  figureOf,
  highestWithin,
  nextRate,
  type Objective,
  type Search,
} from "./knee.ts";

/**
 * The result of one rate: response times in ms, null if there were too few answers; CPU as a share
 * of one core.
 */
export type SweepPoint = {
  rate: number;
  achievedPerSecond: number;
  meanMs: number;
  p50Ms: number | null;
  p90Ms: number | null;
  p99Ms: number | null;
  serverCpuMs: number;
  serverCpuShare: number;
  postgresCpuShare: number;
  failures: number;
  isWithin: boolean;
  doubts: string[];
};

export type SweepResult = {
  format: 2;
  kind: "sweep";
  host: Fingerprint;
  profile: ProfileName;
  operation: string;
  objective: Objective;
  /** The curve, by ascending rate. */
  points: SweepPoint[];
  /** The highest rate within the objective; null if even the lowest missed it. */
  greatestRate: number | null;
  doubts: string[];
};

export type SweepOptions = {
  objective: Objective;
  search: Search;
  /** The minimum length of a run; longer if the objective needs more answers. */
  seconds: number;
  profile: ProfileName;
  onStep(step: string): void;
};

const CONNECTIONS = 32;
const WARM_UP_S = { min: 5, max: 10 };

/**
 * Finds the highest rate of Poisson arrivals at which a scenario meets an objective. Each rate is
 * one run.
 */
export async function sweep(scenario: LoadScenario, options: SweepOptions): Promise<SweepResult> {
  const { objective, search, profile, onStep } = options;
  const testBed = await openTestBed({ profile });
  try {
    onStep("accounts are created");
    const fixtureSets = await makeFixtureSets(testBed, scenario.people ?? PEOPLE);
    const points: SweepPoint[] = [];
    for (let rate = nextRate([], search); rate !== undefined; rate = nextRate(points, search)) {
      onStep(`${scenario.operation} at ${rate.toFixed(0)} per second`);
      const warmUpS = points.length === 0 ? WARM_UP_S : { min: 0, max: 0 };
      let point = await tryRate(testBed, fixtureSets, scenario, rate, warmUpS, options);
      // A missed objective or a disturbed run is repeated once: other processes may have caused it.
      if (!point.isWithin || point.doubts.length > 0) {
        const again = await tryRate(
          testBed,
          fixtureSets,
          scenario,
          rate,
          { min: 0, max: 0 },
          options,
        );
        if (again.isWithin || !point.isWithin) point = again;
      }
      points.push(point);
    }
    const highest = highestWithin(points);
    return {
      format: 2,
      kind: "sweep",
      host: fingerprint(await serverVersion(testBed.db)),
      profile,
      operation: scenario.operation,
      objective,
      points: points.sort((a, b) => a.rate - b.rate),
      greatestRate: highest ?? null,
      doubts: points.find(({ rate }) => rate === highest)?.doubts ?? [],
    };
  } finally {
    await testBed.close();
  }
}

async function tryRate(
  testBed: TestBed,
  fixtureSets: Fixtures[],
  scenario: LoadScenario,
  rate: number,
  warmUpS: { min: number; max: number },
  { objective, seconds: min }: SweepOptions,
): Promise<SweepPoint> {
  const seconds = Math.ceil(Math.max(min, answersFor(objective) / rate));
  testBed.disk.emulateDelays(false);
  const asked = await prepareRequests(
    fixtureSets,
    scenario,
    maxRequestsOf(rate, warmUpS.max, 1, seconds),
  );
  await testBed.db.sql`vacuum analyze`;
  await testBed.db.sql`checkpoint`;
  testBed.disk.emulateDelays(true);
  const cpuNs = () => ({
    server: cpuNsOf(testBed.server.pid),
    postgres: testBed.postgresPids().reduce((sum, pid) => sum + cpuNsOf(pid), 0),
  });
  let from = { atMs: 0, ...cpuNs() };
  let disturbed = watchDisturbance(testBed.server.pid);
  const { recording, each, sent } = await runSeveral({
    target: { unix: testBed.server.socketPath },
    requests: asked.map(encodeRequest),
    connections: CONNECTIONS,
    load: (durationMs, seed) => ({ model: "poisson", rate, durationMs, seed }),
    warmUpRate: rate,
    warmUpS,
    runs: 1,
    seconds,
    onWarm: () => {
      from = { atMs: performance.now(), ...cpuNs() };
      disturbed = watchDisturbance(testBed.server.pid);
    },
  });
  const [run] = each;
  if (!run) throw new Error("There was no run");
  const { figures, offered, achieved } = run;
  const to = { atMs: performance.now(), ...cpuNs() };
  const doubts = findValidityWarnings({
    figures,
    rate: { offered, achieved },
    disturbance: disturbed(),
    isSettled: true,
  });
  const { mean, percentiles } = figures.responseMs;
  const result = figureOf(objective, figures);
  const lastedMs = recording.due.length > 0 ? (sent / rate) * 1000 : 1;
  return {
    rate,
    achievedPerSecond: achieved,
    meanMs: mean,
    failures: figures.failures,
    doubts,
    p50Ms: percentiles[0.5] ?? null,
    p90Ms: percentiles[0.9] ?? null,
    p99Ms: percentiles[0.99] ?? null,
    serverCpuMs: (to.server - from.server) / 1e6 / sent,
    serverCpuShare: (to.server - from.server) / 1e6 / lastedMs,
    postgresCpuShare: (to.postgres - from.postgres) / 1e6 / lastedMs,
    isWithin:
      result !== undefined &&
      result <= objective.mostMs &&
      figures.failures === 0 &&
      achieved >= offered * 0.995,
  };
}

/** The curve as Markdown. */
export function sweepMarkdown({
  host,
  profile,
  operation,
  objective,
  points,
  greatestRate,
  doubts,
}: SweepResult): string {
  const ms = (value: number | null) => (value === null ? "–" : value.toPrecision(3));
  const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
  const rows = points.map((point) => {
    const times = [point.meanMs, point.p50Ms, point.p90Ms, point.p99Ms, point.serverCpuMs].map(ms);
    const shares = [point.serverCpuShare, point.postgresCpuShare].map(percent);
    const verdict = `${point.isWithin ? "within" : "beyond"}${point.doubts.length > 0 ? `, ${point.doubts.join(", ")}` : ""}`;
    return `| ${[point.rate.toFixed(0), point.achievedPerSecond.toFixed(0), ...times, ...shares, verdict].join(" | ")} |`;
  });
  const limit = `${objective.figure} ≤ ${objective.mostMs} ms`;
  const warnings = doubts.length > 0 ? `, not valid (${doubts.join(", ")})` : "";
  const result =
    greatestRate === null
      ? `No rate meets the objective ${limit}.`
      : `Maximum rate with ${limit}: **${greatestRate.toFixed(0)} per second**${warnings}.`;
  return `# ${operation} at increasing rates, ${host.commit}, ${profile}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}. ${result}

| rate/s | achieved/s | mean, ms | p50 | p90 | p99 | server CPU, ms per request | server's core in use | PostgreSQL's core in use | objective |
|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}
