import type { DiskCheck } from "../disk/check.ts";
import type { ProfileName } from "../disk/profiles.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import type { Recording } from "../load/recording.ts";
import { type Run, runSeveral } from "../load/runs.ts";
import { type Disturbance, findValidityWarnings, watchDisturbance } from "../load/validity.ts";
import { encodeRequest } from "../load/wire.ts";
import { openProbes, type ProbeRecord } from "../probes/probes.ts";
import { type LoadScenario, PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { serverVersion } from "../testbed/embedded-postgres.ts";
import { type Fixtures, makeFixtureSets } from "../testbed/fixtures.ts";
import type { Intermediary } from "../testbed/proxy-and-pooler.ts";
import { openTestBed, type TestBed, targetsOf } from "../testbed/testbed.ts";
import { attributionOf, type Floor } from "./attribution.ts";
import { inFlightShareOf, overlapMsOf } from "./behind-others.ts";
import { measureFloor } from "./floor.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadPlanOf } from "./load-plan.ts";
import { type Costs, costsOf, ioWaitShareOf, unnoticedIdleUsage } from "./request-costs.ts";
import { figuresOfRuns, type RunFigures } from "./run-figures.ts";
import type { Attribution } from "./segments.ts";

export type ScenarioResult = RunFigures & {
  operation: string;
  offeredPerSecond: number;
  /** The size of the wave in each run; absent without a wave. */
  cameAtOnce?: number;
  /** How long the warm-up took; null if response times had not settled. */
  settledAfterS: number | null;
  disturbance: Disturbance;
  /**
   * The parts of the mean response time. `costs` are per request too, and include what no request
   * waits for.
   */
  attribution: Attribution;
  costs: Costs;
  floor: Floor;
  /** The share of I/O wait (`ioWaitShareOf`). */
  ioWaitShare: number;
  generatorCpuShare: number;
  probes: ProbeRecord;
  /** Validity warnings; empty if the figures are valid. */
  doubts: string[];
};

export type RunResult = {
  format: 3;
  host: Fingerprint;
  profile: ProfileName;
  /** The disk just before the first scenario; with warnings the whole run is void. */
  disk: DiskCheck;
  isCold: boolean;
  /** Intermediaries in the request path. */
  through: Intermediary[];
  results: ScenarioResult[];
};
export type RunOptions = LoadOptions & {
  profile: ProfileName;
  /** Each scenario starts with empty caches. */
  isCold: boolean;
  through: Intermediary[];
  onStep(step: string): void;
  /** Receives the raw times of every request of a scenario. */
  onRaw?(raw: RawRuns): void;
};

export type RawRuns = {
  operation: string;
  /** All runs concatenated, and each by itself. */
  recording: Recording;
  each: Run[];
  /** The operation and the account of each request. */
  asked: { operation: string; person: number }[];
};

const CONNECTIONS = 32;

/**
 * Runs scenarios one after the other on one test bed, each several times; with cold caches once,
 * because the next run would find them warm.
 */
export async function runScenarios(
  scenarios: LoadScenario[],
  options: RunOptions,
): Promise<RunResult> {
  const settings = Object.assign({}, ...scenarios.map((scenario) => scenario.settings));
  const testBed = await openTestBed({
    profile: options.profile,
    through: options.through,
    settings,
  });
  try {
    const postgres = await serverVersion(testBed.db);
    options.onStep("the disk");
    const disk = await testBed.checkDisk();
    const results: ScenarioResult[] = [];
    const floorAt = cacheFloors(testBed, options);
    for (const scenario of scenarios) {
      options.onStep(scenario.operation);
      // Each scenario has its own accounts, so that none reads what another wrote.
      testBed.disk.emulateDelays(false);
      const fixtureSets = await makeFixtureSets(testBed, scenario.people ?? PEOPLE);
      results.push(await runScenario(testBed, fixtureSets, scenario, { ...options, floorAt }));
    }
    const { profile, isCold, through } = options;
    return {
      format: 3,
      host: fingerprint(postgres),
      profile,
      disk,
      isCold,
      through,
      results,
    };
  } finally {
    await testBed.close();
  }
}

async function runScenario(
  testBed: TestBed,
  fixtureSets: Fixtures[],
  scenario: LoadScenario,
  options: RunOptions & { floorAt(rate: number): Promise<Floor> },
): Promise<ScenarioResult> {
  const { operation } = scenario;
  const planned = loadPlanOf(scenario, options.isCold ? asOneRun(options) : options);
  const { plan, request, requests, offered, isClosed, people } = planned;
  options.onStep(`${operation}: ${requests} requests are prepared`);
  const asked = await prepareRequests(fixtureSets, { ...scenario, request }, requests);
  await testBed.db.sql`vacuum analyze`;
  await testBed.db.sql`checkpoint`;
  const floor = await options.floorAt(offered);
  if (options.isCold) await testBed.restartCold();
  testBed.disk.emulateDelays(true);
  options.onStep(`${operation}: warm-up`);
  const probes = await openProbes(targetsOf(testBed));
  let disturbed = watchDisturbance(testBed.server.pid);
  const runs = await runSeveral({
    target: { unix: testBed.entrySocket },
    requests: asked.map(encodeRequest),
    connections: CONNECTIONS + people,
    ...plan,
    onWarm: () => {
      options.onStep(`${operation}: ${plan.runs} runs of ${plan.seconds.toFixed(0)} s`);
      probes.start();
      disturbed = watchDisturbance(testBed.server.pid);
    },
  });
  const disturbance = disturbed();
  const probeRecord = await probes.stop();
  const personOf = scenario.personOf ?? ((n: number) => n % fixtureSets.length);
  const sentRequests = Array.from(runs.requestIndexes, (n) => ({
    operation: asked[n]?.operation ?? operation,
    person: personOf(n),
  }));
  options.onRaw?.({ operation, recording: runs.recording, each: runs.each, asked: sentRequests });
  const runFigures = figuresOfRuns(
    runs,
    sentRequests.map((one) => one.operation),
  );
  const achieved = meanOf(runFigures.runs.map((run) => run.achieved));
  const offeredOnAverage = meanOf(runFigures.runs.map((run) => run.offered));
  const costs = costsOf(
    probeRecord,
    runs.sent,
    unnoticedIdleUsage(floor.rest, inFlightShareOf(runs.recording)),
  );
  return {
    ...runFigures,
    operation,
    offeredPerSecond: isClosed ? achieved : offered,
    ...(people > 0 ? { cameAtOnce: people } : {}),
    settledAfterS: runs.settledAfterS,
    disturbance,
    attribution: attributionOf(runFigures.figures, overlapMsOf(runs.recording), costs, floor),
    costs,
    floor,
    ioWaitShare: ioWaitShareOf(costs),
    generatorCpuShare: runs.generatorCpuMs / (probeRecord.samples.at(-1)?.atMs ?? Number.NaN),
    probes: probeRecord,
    doubts: findValidityWarnings({
      figures: runFigures.figures,
      // A wave exceeds the rate that the server keeps up with by design.
      rate: isClosed || people > 0 ? undefined : { offered: offeredOnAverage, achieved },
      disturbance,
      isSettled: runs.settledAfterS !== null,
      mayRefuse: people > 0,
    }),
  };
}

/** One run as long as all runs together, without warm-up. */
const asOneRun = (options: RunOptions): RunOptions => ({
  ...options,
  seconds: options.seconds * options.runs,
  runs: 1,
  warmUpS: { min: 0, max: 0 },
});

const meanOf = (values: number[]) => values.reduce((sum, value) => sum + value, 0) / values.length;

/** Measures the floor of each rate once, just before its first scenario. */
function cacheFloors(testBed: TestBed, { onStep }: Pick<RunOptions, "onStep">) {
  const floors = new Map<number, Floor>();
  return async (rate: number): Promise<Floor> => {
    const cached = floors.get(rate);
    if (cached) return cached;
    onStep(`bare servers at ${rate.toFixed(0)} per second`);
    const floor = await measureFloor(testBed, rate, CONNECTIONS);
    floors.set(rate, floor);
    return floor;
  };
}
