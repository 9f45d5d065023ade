import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { LoadFigures } from "./recording.ts";

/**
 * What others did to a run: the share of the machine that a hypervisor took, and how long the
 * server's main thread waited for a processor.
 */
export type Disturbance = { stealShare: number; runQueueMs: number };

/** Watches the machine and a process until it is asked what it saw. */
export function watchDisturbance(pid: number): () => Disturbance {
  const read = () => ({ atMs: performance.now(), stealMs: stealMs(), waitMs: waitMs(pid) });
  const from = read();
  return () => {
    const to = read();
    return {
      stealShare: (to.stealMs - from.stealMs) / ((to.atMs - from.atMs) * availableParallelism()),
      runQueueMs: to.waitMs - from.waitMs,
    };
  };
}

/**
 * The second field of the main thread's schedstat (Linux Documentation/scheduler/sched-stats):
 * helpers wait for it.
 */
function waitMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * The eighth figure of /proc/stat's first line (proc(5)), in ticks of 10 ms; 0 where there is none.
 */
function stealMs(): number {
  try {
    const [, steal = "0"] =
      /^cpu +(?:\d+ +){7}(\d+)/.exec(readFileSync("/proc/stat", "utf8")) ?? [];
    return Number(steal) * 10;
  } catch {
    return 0;
  }
}

export type Evidence = {
  figures: LoadFigures;
  /**
   * Requests that were due in a second and those that the server kept up with; undefined of a
   * closed loop.
   */
  rate: { offered: number; achieved: number } | undefined;
  disturbance: Disturbance;
  /** Whether responses had settled when the first run began. */
  isSettled: boolean;
  /** Whether it is what the load is for that some are told to come again later. */
  mayRefuse?: boolean;
};

/** Why figures should not be believed; empty when they may be. */
export function findValidityWarnings({
  figures,
  rate,
  disturbance,
  isSettled,
  mayRefuse = false,
}: Evidence): string[] {
  const { failures, refused = 0, sendLagMs, responseMs } = figures;
  const latest = Math.max(1, (responseMs.percentiles[0.5] ?? 0) * 0.05);
  const runQueueShare = disturbance.runQueueMs / (figures.requests * responseMs.mean);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const rules: [boolean, string][] = [
    [failures > refused, `${failures - refused} failures`],
    [refused > 0 && !mayRefuse, `${refused} were told to come again later`],
    [
      (sendLagMs.percentiles[0.99] ?? sendLagMs.percentiles[0.9] ?? 0) > latest,
      "requests were sent late",
    ],
    [
      rate !== undefined && rate.achieved < rate.offered * MIN_RATE,
      `the rate was not reached: ${rate?.achieved.toFixed(1)} of ${rate?.offered.toFixed(1)} a second`,
    ],
    [
      disturbance.stealShare >= MAX_STEAL,
      `the hypervisor took ${percent(disturbance.stealShare)} of the machine`,
    ],
    [
      runQueueShare >= MAX_RUN_QUEUE,
      `the server waited for a processor for ${percent(runQueueShare)} of the time that responses took`,
    ],
    [!isSettled, "responses had not settled after the longest warm-up"],
  ];
  return rules.filter(([applies]) => applies).map(([, doubt]) => doubt);
}

const MIN_RATE = 0.995;
const MAX_STEAL = 0.01;
/**
 * On a machine with nothing else to do it is 3 to 5 %: each wake takes some microseconds, and the
 * runtime's helpers have the same core. With neighbours it is several times that.
 */
const MAX_RUN_QUEUE = 0.1;
