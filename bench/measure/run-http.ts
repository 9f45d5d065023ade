import type { DiskCheck } from "../disk/check.ts";
import type { ProfileName } from "../disk/profiles.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import type { Recording } from "../load/recording.ts";
import { type OneRun, runSeveral } from "../load/runs.ts";
import { type Disturbance, findValidityWarnings, watchDisturbance } from "../load/validity.ts";
import { encodeRequest } from "../load/wire.ts";
import { openProbes, type ProbeRecord } from "../probes/probes.ts";
import { type LoadScenario, PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { type Fixtures, makeFixtureSets } from "../testbed/fixtures.ts";
import type { Between } from "../testbed/proxy-and-pooler.ts";
import { openTestBed, type TestBed, targetsOf } from "../testbed/testbed.ts";
import {
  type Attribution,
  attributionOf,
  type Costs,
  costsOf,
  type Floor,
  ioWaitShareOf,
  restUnnoticed,
} from "./attribution.ts";
import { onWayShareOf, overlapMsOf } from "./behind-others.ts";
import { measureFloor } from "./floor.ts";
import type { LoadOptions } from "./load-options.ts";
import { loadPlanOf } from "./load-plan.ts";
import { figuresOfRuns, type RunFigures } from "./run-figures.ts";

export type ScenarioResult = RunFigures & {
  operation: string;
  offeredPerSecond: number;
  /**
   * Those who came all at once in each run, on connections of their own; absent where nobody does.
   */
  cameAtOnce?: number;
  /** How long the warm-up took; null when responses had not settled. */
  settledAfterS: number | null;
  disturbance: Disturbance;
  /**
   * Where the mean response went; `costs` are of one request too, those nobody waits for among
   * them.
   */
  attribution: Attribution;
  costs: Costs;
  floor: Floor;
  /**
   * Of the time in which something was done for requests: waiting for the disk (`ioWaitShareOf`).
   */
  ioWaitShare: number;
  generatorCpuShare: number;
  probes: ProbeRecord;
  /** Empty when the figures may be believed. */
  doubts: string[];
};

export type RunResult = {
  format: 3;
  host: Fingerprint;
  profile: ProfileName;
  /** As it was just before the first scenario; with doubts the run is void. */
  disk: DiskCheck;
  isCold: boolean;
  /** What was in the path beside the application and PostgreSQL. */
  through: Between[];
  results: ScenarioResult[];
};
export type RunOptions = LoadOptions & {
  profile: ProfileName;
  /** Each scenario begins with none of the database in memory. */
  isCold: boolean;
  through: Between[];
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

/**
 * Runs scenarios one after the other on one test bed, each several times; a cold one once, as the next
 * would be warm.
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
    const [version] = await testBed.db.sql<
      { version: string }[]
    >`select current_setting('server_version') as version`;
    options.onStep("the disk");
    const disk = await testBed.checkDisk();
    const results: ScenarioResult[] = [];
    const floorAt = rememberFloors(testBed, options);
    for (const scenario of scenarios) {
      options.onStep(scenario.operation);
      // People of their own: what one scenario writes is not what the next one reads.
      testBed.disk.turn(false);
      const fixtureSets = await makeFixtureSets(testBed, scenario.people ?? PEOPLE);
      results.push(await runScenario(testBed, fixtureSets, scenario, { ...options, floorAt }));
    }
    const { profile, isCold, through } = options;
    return {
      format: 3,
      host: fingerprint(version?.version ?? "?"),
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
  const planned = loadPlanOf(scenario, options.isCold ? once(options) : options);
  const { plan, request, requests, offered, isClosed, people } = planned;
  options.onStep(`${operation}: ${requests} requests are made`);
  const asked = await prepareRequests(fixtureSets, { ...scenario, request }, requests);
  await testBed.db.sql`vacuum analyze`;
  await testBed.db.sql`checkpoint`;
  const floor = await options.floorAt(offered);
  if (options.isCold) await testBed.cool();
  testBed.disk.turn(true);
  options.onStep(`${operation}: warm-up`);
  const probes = await openProbes(targetsOf(testBed));
  let disturbed = watchDisturbance(testBed.server.pid);
  const runs = await runSeveral({
    target: { unix: testBed.entrance },
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
  const record = await probes.stop();
  const personOf = scenario.personOf ?? ((n: number) => n % fixtureSets.length);
  const sent = Array.from(runs.places, (n) => ({
    operation: asked[n]?.operation ?? operation,
    person: personOf(n),
  }));
  options.onRaw?.({ operation, recording: runs.recording, each: runs.each, asked: sent });
  const of = figuresOfRuns(
    runs,
    sent.map((one) => one.operation),
  );
  const achieved = meanOf(of.runs.map((run) => run.achieved));
  const due = meanOf(of.runs.map((run) => run.offered));
  const costs = costsOf(record, runs.sent, restUnnoticed(floor.rest, onWayShareOf(runs.recording)));
  return {
    ...of,
    operation,
    offeredPerSecond: isClosed ? achieved : offered,
    ...(people > 0 ? { cameAtOnce: people } : {}),
    settledAfterS: runs.settledAfterS,
    disturbance,
    attribution: attributionOf(of.figures, overlapMsOf(runs.recording), costs, floor),
    ...{ costs, floor, ioWaitShare: ioWaitShareOf(costs) },
    generatorCpuShare: runs.generatorCpuMs / (record.samples.at(-1)?.atMs ?? Number.NaN),
    probes: record,
    doubts: findValidityWarnings({
      figures: of.figures,
      // Whoever comes at once is not kept up with: that is what a wave is.
      rate: isClosed || people > 0 ? undefined : { offered: due, achieved },
      disturbance,
      isSettled: runs.settledAfterS !== null,
      mayRefuse: people > 0,
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

/** Each rate's floor is measured once, shortly before what is beside it. */
function rememberFloors(testBed: TestBed, { onStep }: Pick<RunOptions, "onStep">) {
  const floors = new Map<number, Floor>();
  return async (rate: number): Promise<Floor> => {
    const known = floors.get(rate);
    if (known) return known;
    onStep(`bare servers at ${rate.toFixed(0)} a second`);
    const floor = await measureFloor(testBed, rate, CONNECTIONS);
    floors.set(rate, floor);
    return floor;
  };
}
