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
  const samples: Sample[] = [];
  let ownCpuMs = 0;
  const take = () => {
    const before = process.cpuUsage();
    const { flushes, coldReads, waitedMs } = stand.disk.counts();
    const pids = stand.postgresPids();
    samples.push({
      atMs: performance.now() - started,
      serverCpuMs: cpuMs(stand.server.pid),
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

/** In user and in kernel mode, threads that have ended among them, whom `cpuNsOf` forgets. To 10 ms. */
const cpuMs = (pid: number): number => statMs(pid, 14) + statMs(pid, 15);

const blockIoMs = (pid: number): number => statMs(pid, 42);

/** A field of /proc/PID/stat that counts clock ticks, by its number in proc(5). */
function statMs(pid: number, field: number): number {
  const stat = readText(`/proc/${pid}/stat`);
  // The second field is a name in parentheses, which may hold spaces.
  return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[field - 3] ?? 0) * TICK_MS;
}

function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
