import { readFileSync } from "node:fs";
import { availableParallelism } from "node:os";
import type { LoadFigures } from "./recording.ts";

/**
 * How other processes disturbed a run: the share of the machine taken by a hypervisor, and how long
 * the server's main thread waited for a CPU.
 */
export type Disturbance = { stealShare: number; runQueueMs: number };

/**
 * Starts to watch the machine and a process; the function that it returns gives the disturbance
 * since then.
 */
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
 * Run-queue wait of the main thread, the second field of its schedstat (Linux
 * Documentation/scheduler/sched-stats). Helper threads are left out: they wait for the main thread.
 */
function waitMs(pid: number): number {
  try {
    return Number(readFileSync(`/proc/${pid}/task/${pid}/schedstat`, "utf8").split(" ")[1]) / 1e6;
  } catch {
    return 0;
  }
}

/**
 * Steal time: the eighth figure of /proc/stat's first line (proc(5)), in ticks of 10 ms; 0 if
 * absent.
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
  /** Offered and achieved requests per second; undefined for a closed loop. */
  rate: { offered: number; achieved: number } | undefined;
  disturbance: Disturbance;
  /** Whether response times had settled when the first run began. */
  isSettled: boolean;
  /** Whether refusals (503 with Retry-After) are expected under this load. */
  mayRefuse?: boolean;
};

/** Reasons why the figures are not valid; empty if they are. */
export function findValidityWarnings({
  figures,
  rate,
  disturbance,
  isSettled,
  mayRefuse = false,
}: Evidence): string[] {
  const { failures, refused = 0, sendLagMs, responseMs } = figures;
  const maxSendLagMs = Math.max(1, (responseMs.percentiles[0.5] ?? 0) * 0.05);
  const runQueueShare = disturbance.runQueueMs / (figures.requests * responseMs.mean);
  const percent = (share: number) => `${(share * 100).toFixed(1)} %`;
  const rules: [boolean, string][] = [
    [failures > refused, `${failures - refused} requests failed`],
    [refused > 0 && !mayRefuse, `${refused} requests were refused with Retry-After`],
    [
      (sendLagMs.percentiles[0.99] ?? sendLagMs.percentiles[0.9] ?? 0) > maxSendLagMs,
      "requests were sent late",
    ],
    [
      rate !== undefined && rate.achieved < rate.offered * MIN_RATE,
      `the rate was not achieved: ${rate?.achieved.toFixed(1)} of ${rate?.offered.toFixed(1)} per second`,
    ],
    [
      disturbance.stealShare >= MAX_STEAL,
      `the hypervisor stole ${percent(disturbance.stealShare)} of the CPU time`,
    ],
    [
      runQueueShare >= MAX_RUN_QUEUE,
      `the server waited for a core for ${percent(runQueueShare)} of the latency`,
    ],
    [!isSettled, "latency had not settled after the warm-up"],
  ];
  return rules.filter(([applies]) => applies).map(([, warning]) => warning);
}

const MIN_RATE = 0.995;
const MAX_STEAL = 0.01;
/**
 * On an idle machine it is 3 to 5 %: each wake-up takes some microseconds, and the runtime's helper
 * threads share the core. With neighbours it is several times that.
 */
const MAX_RUN_QUEUE = 0.1;
