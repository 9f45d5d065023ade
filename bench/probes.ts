import { readFileSync } from "node:fs";
import { cpuNsOf } from "./servers.ts";
import type { Stand } from "./stand.ts";

/** What was used up to a moment, ms from the start of the probes. CPU and waits in ms, of all threads. */
export type Sample = {
  atMs: number;
  serverCpuMs: number;
  postgresCpuMs: number;
  flushes: number;
  coldReads: number;
  diskWaitMs: number;
  /** Block I/O delay of PostgreSQL's processes, in ms; null where the kernel does not account for it. */
  blockIoMs: number | null;
  /** Of all processors since boot. Unreliable (proc(5)): shown beside what is not. */
  ioWaitMs: number;
};

export type Probes = { stop(): { samples: Sample[]; ownCpuMs: number } };

const INTERVAL_MS = 250;
/** Clock ticks of /proc in ms: USER_HZ is 100 wherever Linux runs. */
const TICK_MS = 10;

/** Samples a stand every quarter of a second, and says what that cost. */
export function startProbes(stand: Stand): Probes {
  const started = performance.now();
  const isAccounted = readText("/proc/sys/kernel/task_delayacct").trim() === "1";
  // The pool's backends stay: looking for others each time would cost more than all the rest.
  const pids = stand.postgresPids();
  const samples: Sample[] = [];
  let ownCpuMs = 0;
  const take = () => {
    const before = process.cpuUsage();
    const { flushes, coldReads, waitedMs } = stand.disk.counts();
    samples.push({
      atMs: performance.now() - started,
      serverCpuMs: stand.server.cpuNs() / 1e6,
      postgresCpuMs: pids.reduce((sum, pid) => sum + cpuNsOf(pid), 0) / 1e6,
      flushes,
      coldReads,
      diskWaitMs: waitedMs,
      blockIoMs: isAccounted ? pids.reduce((sum, pid) => sum + blockIoMs(pid), 0) : null,
      ioWaitMs: Number(/^cpu +(?:\d+ +){4}(\d+)/.exec(readText("/proc/stat"))?.[1] ?? 0) * TICK_MS,
    });
    const used = process.cpuUsage(before);
    ownCpuMs += (used.user + used.system) / 1000;
  };
  take();
  const timer = setInterval(take, INTERVAL_MS);
  return {
    stop: () => {
      clearInterval(timer);
      take();
      return { samples, ownCpuMs };
    },
  };
}

/** Field 42 of /proc/PID/stat, after the name in parentheses (proc(5)). */
function blockIoMs(pid: number): number {
  const stat = readText(`/proc/${pid}/stat`);
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[39] ?? 0) * TICK_MS;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
