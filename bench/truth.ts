import { availableParallelism } from "node:os";
import { HDD } from "./disk/spindle.ts";
import { runSeveral } from "./load/runs.ts";
import { onWire } from "./load/wire.ts";
import { openProbes } from "./probes/probes.ts";
import type { Sample } from "./probes/sampler.ts";
import { openStand, type Stand, targetsOf } from "./stand.ts";
import { HTTP_SCENARIOS } from "./suites/http.ts";
import { askedOf, type LoadScenario, makeWorlds, PEOPLE } from "./suites/load-scenario.ts";
import type { World } from "./suites/world.ts";

/** Shares of a run's time; null where it is not measured. */
export type WaitShares = {
  /** In which backends waited for the disk: what a report shows. */
  reported: number;
  /** Of the processors, by /proc/stat. */
  ioWait: number;
  /** In which some process was stalled by the disk, by /proc/pressure/io. */
  pressure: number | null;
};

export type Truth = { alone: WaitShares; besideBurners: WaitShares };

const RATE = 60;
const SECONDS = 8;
const BURNERS = 2;

/**
 * Whether the wait for the disk that is reported depends on who else is busy: the same writing scenario on the emulated disk
 * alone, and beside two processes that burn CPU. /proc/stat's iowait, which calls a processor busy as soon as anybody has
 * something to do on it, is read in the same runs.
 */
export async function measureTruth(onStep: (step: string) => void): Promise<Truth> {
  const stand = await openStand({ disk: HDD });
  try {
    const scenario = HTTP_SCENARIOS.find(({ operation }) => operation === "LogSet") as LoadScenario;
    const worlds = await makeWorlds(stand, PEOPLE);
    onStep("alone");
    const alone = await measureShares(stand, scenario, worlds);
    onStep(`beside ${BURNERS} processes that burn CPU`);
    const burners = Array.from({ length: BURNERS }, () => Bun.spawn(["sh", "-c", "while :; do :; done"]));
    try {
      return { alone, besideBurners: await measureShares(stand, scenario, worlds) };
    } finally {
      for (const burner of burners) burner.kill("SIGKILL");
      await Promise.all(burners.map(({ exited }) => exited));
    }
  } finally {
    await stand.close();
  }
}

async function measureShares(stand: Stand, scenario: LoadScenario, worlds: World[]): Promise<WaitShares> {
  const asked = await askedOf(worlds, scenario, RATE * (SECONDS + 2) * 2);
  const probes = await openProbes(targetsOf(stand));
  await runSeveral({
    target: { unix: stand.server.socketPath },
    requests: asked.map(onWire),
    connections: 32,
    load: (durationMs, seed) => ({ model: "poisson", rate: RATE, durationMs, seed }),
    ...{ warmUpRate: RATE, warmUpS: { least: 1, most: 1 }, runs: 1, seconds: SECONDS },
    onWarm: probes.start,
  });
  return waitSharesOf((await probes.stop()).samples);
}

/** What samples say of waiting for the disk, by each way of asking. */
export function waitSharesOf(samples: Sample[]): WaitShares {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const lastedMs = last.atMs - first.atMs;
  const pressureMs = (sample: Sample) => sample.machine.pressure.io?.someMs;
  const [from, to] = [pressureMs(first), pressureMs(last)];
  return {
    reported: (last.disk.waitedMs - first.disk.waitedMs) / lastedMs,
    ioWait: (last.machine.ioWaitMs - first.machine.ioWaitMs) / (lastedMs * availableParallelism()),
    pressure: from === undefined || to === undefined ? null : (to - from) / lastedMs,
  };
}

/** Points of a hundred that the reported share moved by. */
export const movedBy = ({ alone, besideBurners }: Truth): number =>
  Math.abs(besideBurners.reported - alone.reported) * 100;

export const MOST_MOVED = 10;
