import { availableParallelism } from "node:os";
import { startProgram } from "#lib/processes/programs.ts";
import type { ProfileName } from "../disk/profiles.ts";
import { pinMap } from "../hosts/pinning.ts";
import { figuresOf } from "../load/recording.ts";
import { runSeveral } from "../load/runs.ts";
import { encodeRequest } from "../load/wire.ts";
import { type Costs, costsOf, ioWaitShareOf, type Rest } from "../measure/attribution.ts";
import { measureRest } from "../measure/floor.ts";
import { openProbes, type ProbeRecord } from "../probes/probes.ts";
import type { Sample } from "../probes/sampler.ts";
import type { WaitClass } from "../probes/waits.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { PEOPLE, prepareRequests } from "../suites/scenario.ts";
import { makeFixtureSets } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed, targetsOf } from "../testbed/testbed.ts";

/**
 * Waiting for the disk as a share of something, by each way of asking; null where it is not
 * measured.
 */
export type WaitShares = {
  /** `ioWaitShareOf`: what every report says. */
  reported: number;
  /** Of the mean response: burners make the rest of it longer. */
  ofResponse: number;
  /**
   * Of the time in which backends had a statement to run, as looks at them show: in which they wait
   * for a core too.
   */
  ofBackends: number;
  /** Of the time that passed: burners make requests share flushes. */
  ofTime: number;
  /**
   * As reported, with the kernel's block-I/O delay of backends in place of what the library under
   * them measured.
   */
  blockIoDelay: number | null;
  /** In which some process was stalled by the kernel's disks, by /proc/pressure/io. */
  pressure: number | null;
  /** Of the processors, by /proc/stat. */
  ioWait: number;
};

export type Shown = WaitShares & { responseMs: number; costs: Costs };
export type Truth = { profile: ProfileName; alone: Shown; besideBurners: Shown };

export type TruthOptions = { profile: ProfileName; seconds: number; onStep(step: string): void };

/**
 * Half of what one spindle can flush without anybody sharing a flush, so that the server keeps up
 * beside burners.
 */
const RATE = 60;
const WARM_UP_S = { least: 3, most: 3 };

/**
 * Whether the wait for the disk that is reported depends on who else is busy: LogSet over HTTP on a
 * slow disk, alone and beside a process on the server's cores and one on PostgreSQL's that burn
 * CPU. What else could have been reported, and /proc/stat's iowait, which calls a processor busy as
 * soon as anybody has something to do on it, are of the same runs.
 */
export async function measureTruth({ profile, seconds, onStep }: TruthOptions): Promise<Truth> {
  const testBed = await openTestBed({ profile });
  try {
    testBed.disk.turn(false);
    const send = await makeLoad(testBed, seconds);
    const rest = await measureRest(testBed);
    testBed.disk.turn(true);
    onStep("alone");
    const alone = await send(rest);
    const cores = [pinMap().server, pinMap().postgres];
    onStep(`beside ${cores.length} processes that burn CPU`);
    const burners = cores.map((those) =>
      startProgram([...onCores(those), "sh", "-c", "while :; do :; done"]),
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

/** Sets that are logged in as many seconds as often as it is asked to: each time others. */
async function makeLoad(testBed: TestBed, seconds: number) {
  const scenario = HTTP_SCENARIOS.find(({ operation }) => operation === "LogSet");
  if (!scenario) throw new Error("There is no scenario LogSet");
  const fixtureSets = await makeFixtureSets(testBed, PEOPLE);
  return async (rest: Rest): Promise<Shown> => {
    const count = Math.ceil(RATE * (WARM_UP_S.most + seconds + 1) * 1.5);
    testBed.disk.turn(false);
    const asked = await prepareRequests(fixtureSets, scenario, count);
    testBed.disk.turn(true);
    const probes = await openProbes(targetsOf(testBed));
    const runs = await runSeveral({
      target: { unix: testBed.server.socketPath },
      requests: asked.map(encodeRequest),
      connections: 32,
      load: (durationMs, seed) => ({ model: "poisson", rate: RATE, durationMs, seed }),
      ...{ warmUpRate: RATE, warmUpS: WARM_UP_S, runs: 1, seconds },
      onWarm: probes.start,
    });
    const record = await probes.stop();
    const costs = costsOf(record, runs.sent, rest);
    const responseMs = figuresOf(runs.recording).responseMs.mean;
    return { ...waitSharesOf(record, costs, responseMs, runs.sent), responseMs, costs };
  };
}

/** What one record says of waiting for the disk, by each way of asking. */
export function waitSharesOf(
  { samples, isBlockIoAccounted }: Pick<ProbeRecord, "samples" | "isBlockIoAccounted">,
  costs: Costs,
  responseMs: number,
  sent: number,
): WaitShares {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const lastedMs = last.atMs - first.atMs;
  const seen = (...what: WaitClass[]) =>
    what.reduce((sum, each) => sum + last.waits.seen[each] - first.waits.seen[each], 0);
  const waited = costs.disk + costs.diskOfOthers;
  const disk = (last.backends.blockIoMs - first.backends.blockIoMs) / sent;
  const pressureMs = (sample: Sample) => sample.machine.pressure.io?.someMs;
  const [from, to] = [pressureMs(first), pressureMs(last)];
  return {
    reported: ioWaitShareOf(costs),
    ofResponse: waited / responseMs,
    ofBackends:
      seen("disk", "diskOfOthers") /
      Math.max(seen("disk", "diskOfOthers", "lock", "cpu", "other"), 1),
    ofTime: (waited * sent) / lastedMs,
    blockIoDelay: isBlockIoAccounted ? ioWaitShareOf({ ...costs, disk }) : null,
    pressure: from === undefined || to === undefined ? null : (to - from) / lastedMs,
    ioWait: (last.machine.ioWaitMs - first.machine.ioWaitMs) / (lastedMs * availableParallelism()),
  };
}

/** Points of a hundred by which a share moved beside burners. */
export const movedBy = (
  { alone, besideBurners }: Truth,
  share: keyof WaitShares = "reported",
): number => Math.abs((besideBurners[share] ?? 0) - (alone[share] ?? 0)) * 100;

export const MAX_MOVED = 10;
