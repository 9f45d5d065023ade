import { availableParallelism } from "node:os";
import { startProgram } from "#lib/processes/programs.ts";
import type { ProfileName } from "../disk/profiles.ts";
import { pinMap } from "../hosts/pinning.ts";
import { figuresOf } from "../load/recording.ts";
import { runSeveral } from "../load/runs.ts";
import { encodeRequest } from "../load/wire.ts";
import { measureIdleUsage } from "../measure/floor.ts";
import { type Costs, costsOf, type IdleUsage, ioWaitShareOf } from "../measure/request-costs.ts";
import { openProbes, type ProbeRecord } from "../probes/probes.ts";
import type { Sample } from "../probes/sampler.ts";
import type { WaitClass } from "../probes/waits.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { makeFixtureSets } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed, targetsOf } from "../testbed/testbed.ts";

/** The share of disk wait by different definitions; null if it was not measured. */
export type WaitShares = {
  /** `ioWaitShareOf`, the definition of the reports. */
  reported: number;
  /** The share of the mean latency; contention lengthens the rest of it. */
  ofResponse: number;
  /** The share of sampled backend time in a statement, which includes waiting for a core. */
  ofBackends: number;
  /** The share of elapsed time; contention makes requests share flushes. */
  ofTime: number;
  /** As reported, but with the kernel's block-I/O delay instead of the measurement of the library. */
  blockIoDelay: number | null;
  /** The share of time in which a process was stalled on I/O, from /proc/pressure/io. */
  pressure: number | null;
  /** The share of the time of all cores, from /proc/stat. */
  ioWait: number;
};

export type TruthRun = WaitShares & { responseMs: number; costs: Costs };
export type Truth = { profile: ProfileName; alone: TruthRun; besideBurners: TruthRun };

export type TruthOptions = { profile: ProfileName; seconds: number; onStep(step: string): void };

/** Half the flush rate of one spindle, so that the server keeps up under contention. */
const RATE = 60;
const WARM_UP_S = { min: 3, max: 3 };

/**
 * Measures whether the reported I/O wait depends on CPU contention: LogSet over HTTP on a slow
 * disk, alone and with processes that burn CPU on the cores of the server and of PostgreSQL. The
 * same runs give the other definitions, including /proc/stat's iowait, which counts a core as busy
 * as soon as any process can run on it.
 */
export async function measureTruth({ profile, seconds, onStep }: TruthOptions): Promise<Truth> {
  const testBed = await openTestBed({ profile });
  try {
    testBed.disk.emulateDelays(false);
    const send = await makeLoad(testBed, seconds);
    const rest = await measureIdleUsage(testBed);
    testBed.disk.emulateDelays(true);
    onStep("alone");
    const alone = await send(rest);
    const cores = [pinMap().server, pinMap().postgres];
    onStep(`with ${cores.length} processes that burn CPU`);
    const burners = cores.map((pinned) =>
      startProgram([...onCores(pinned), "sh", "-c", "while :; do :; done"]),
    );
    try {
      return { profile, alone, besideBurners: await send(rest) };
    } finally {
      await Promise.all(burners.map(({ kill }) => kill()));
    }
  } finally {
    await testBed.close();
  }
}

const onCores = (cores: number[]) =>
  Bun.which("taskset") ? ["taskset", "-c", cores.join(",")] : [];

/** Returns a function that logs new sets for `seconds` each time it is called. */
async function makeLoad(testBed: TestBed, seconds: number) {
  const scenario = HTTP_SCENARIOS.find(({ operation }) => operation === "LogSet");
  if (!scenario) throw new Error("There is no scenario LogSet");
  const fixtureSets = await makeFixtureSets(testBed, PEOPLE);
  return async (rest: IdleUsage): Promise<TruthRun> => {
    const count = Math.ceil(RATE * (WARM_UP_S.max + seconds + 1) * 1.5);
    testBed.disk.emulateDelays(false);
    const requests = await prepareRequests(fixtureSets, scenario, count);
    testBed.disk.emulateDelays(true);
    const probes = await openProbes(targetsOf(testBed));
    const runs = await runSeveral({
      target: { unix: testBed.server.socketPath },
      requests: requests.map(encodeRequest),
      connections: 32,
      load: (durationMs, seed) => ({ model: "poisson", rate: RATE, durationMs, seed }),
      warmUpRate: RATE,
      warmUpS: WARM_UP_S,
      runs: 1,
      seconds,
      onWarm: probes.start,
    });
    const record = await probes.stop();
    const costs = costsOf(record, runs.sent, rest);
    const responseMs = figuresOf(runs.recording).responseMs.mean;
    return { ...waitSharesOf(record, costs, responseMs, runs.sent), responseMs, costs };
  };
}

/** Computes every definition of disk wait from one record of the probes. */
export function waitSharesOf(
  { samples, isBlockIoAccounted }: Pick<ProbeRecord, "samples" | "isBlockIoAccounted">,
  costs: Costs,
  responseMs: number,
  sent: number,
): WaitShares {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const elapsedMs = last.atMs - first.atMs;
  const count = (...classes: WaitClass[]) =>
    classes.reduce((sum, each) => sum + last.waits.seen[each] - first.waits.seen[each], 0);
  const waitMs = costs.disk + costs.diskOfOthers;
  const disk = (last.backends.blockIoMs - first.backends.blockIoMs) / sent;
  const pressureMs = (sample: Sample) => sample.machine.pressure.io?.someMs;
  const [from, to] = [pressureMs(first), pressureMs(last)];
  return {
    reported: ioWaitShareOf(costs),
    ofResponse: waitMs / responseMs,
    ofBackends:
      count("disk", "diskOfOthers") /
      Math.max(count("disk", "diskOfOthers", "lock", "cpu", "other"), 1),
    ofTime: (waitMs * sent) / elapsedMs,
    blockIoDelay: isBlockIoAccounted ? ioWaitShareOf({ ...costs, disk }) : null,
    pressure: from === undefined || to === undefined ? null : (to - from) / elapsedMs,
    ioWait: (last.machine.ioWaitMs - first.machine.ioWaitMs) / (elapsedMs * availableParallelism()),
  };
}

/** The difference that contention makes to a share, in percentage points. */
export const movedBy = (
  { alone, besideBurners }: Truth,
  share: keyof WaitShares = "reported",
): number => Math.abs((besideBurners[share] ?? 0) - (alone[share] ?? 0)) * 100;

export const MAX_MOVED = 10;
