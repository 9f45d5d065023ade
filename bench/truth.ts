import { availableParallelism } from "node:os";
import { openProbes } from "./probes/probes.ts";
import type { Sample } from "./probes/sampler.ts";
import type { WaitClass } from "./probes/waits.ts";
import { openStand, type Stand, targetsOf } from "./stand.ts";

/** Shares of time; null where it is not measured. */
export type WaitShares = {
  /** Of the time in which backends had a statement to run: what they waited for the disk, as looks at them show. */
  reported: number;
  /** Of the processors, by /proc/stat. */
  ioWait: number;
  /** In which some process was stalled by the disk, by /proc/pressure/io. */
  pressure: number | null;
};

export type Truth = { alone: WaitShares; besideBurners: WaitShares };

const SECONDS = 6;
const BURNERS = 2;

/**
 * Whether the wait for the disk that is reported depends on who else is busy: commits one after the other on the emulated
 * disk, alone and beside two processes that burn CPU. /proc/stat's iowait, which calls a processor busy as soon as anybody
 * has something to do on it, is read in the same runs. No requests, because a server that burners hold up sends commits in
 * bunches, which share flushes: less is waited for the disk then, truly.
 */
export async function measureTruth(onStep: (step: string) => void): Promise<Truth> {
  const stand = await openStand({ profile: "hdd" });
  try {
    await stand.db.sql`create table truths (at timestamptz not null default now())`;
    onStep("alone");
    const alone = await measureShares(stand);
    onStep(`beside ${BURNERS} processes that burn CPU`);
    const burners = Array.from({ length: BURNERS }, () => Bun.spawn(["sh", "-c", "while :; do :; done"]));
    try {
      return { alone, besideBurners: await measureShares(stand) };
    } finally {
      for (const burner of burners) burner.kill("SIGKILL");
      await Promise.all(burners.map(({ exited }) => exited));
    }
  } finally {
    await stand.close();
  }
}

async function measureShares(stand: Stand): Promise<WaitShares> {
  const probes = await openProbes(targetsOf(stand));
  probes.start();
  const untilMs = performance.now() + SECONDS * 1000;
  while (performance.now() < untilMs) await stand.db.sql`insert into truths default values`;
  return waitSharesOf((await probes.stop()).samples);
}

/** What samples say of waiting for the disk, by each way of asking. */
export function waitSharesOf(samples: Sample[]): WaitShares {
  const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
  const lastedMs = last.atMs - first.atMs;
  const seen = (what: WaitClass) => last.waits.seen[what] - first.waits.seen[what];
  const busy = seen("disk") + seen("diskOfOthers") + seen("lock") + seen("cpu") + seen("other");
  const pressureMs = (sample: Sample) => sample.machine.pressure.io?.someMs;
  const [from, to] = [pressureMs(first), pressureMs(last)];
  return {
    reported: (seen("disk") + seen("diskOfOthers")) / Math.max(busy, 1),
    ioWait: (last.machine.ioWaitMs - first.machine.ioWaitMs) / (lastedMs * availableParallelism()),
    pressure: from === undefined || to === undefined ? null : (to - from) / lastedMs,
  };
}

/** Points of a hundred that the reported share moved by. */
export const movedBy = ({ alone, besideBurners }: Truth): number =>
  Math.abs(besideBurners.reported - alone.reported) * 100;

export const MOST_MOVED = 10;
