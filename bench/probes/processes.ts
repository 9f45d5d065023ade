import { listNames, readText } from "../hosts/system-files.ts";

/**
 * Usage of threads since they started: ms on a CPU and waiting for one, and how often they slept
 * (wakes) or were preempted. Wakes and preemptions are counted for main threads only.
 */
export type ThreadUsage = { cpuMs: number; runQueueMs: number; wakes: number; preemptions: number };

export type ProcessUsage = {
  /**
   * The first thread of a process: the only one of a PostgreSQL backend, and the JavaScript thread
   * of Bun.
   */
  main: ThreadUsage;
  /** Worker threads whose results requests wait for, such as password hashes and file access. */
  pool: ThreadUsage;
  /** Garbage collection and compilation: no request waits for them, but they use CPU. */
  helpers: ThreadUsage;
  /** User and kernel mode, including threads that have ended; to 10 ms. */
  totalCpuMs: number;
  /** Waiting for block devices; 0 unless kernel.task_delayacct is 1. To 10 ms. */
  blockIoMs: number;
  residentMib: number;
};

/** A clock tick of /proc in ms: USER_HZ is 100 on all architectures we run on. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** With `threads`, usage is read per thread: three files for each. */
export type Detail = "threads" | "process";

/**
 * Usage of a process since it started; undefined if it has ended. With "process" only the main
 * thread is read.
 */
export function readProcess(pid: number, detail: Detail): ProcessUsage | undefined {
  const stat = parseStat(readText(`/proc/${pid}/stat`));
  if (!stat) return undefined;
  const usage: ProcessUsage = { main: noUsage(), pool: noUsage(), helpers: noUsage(), ...stat };
  if (detail === "process") {
    add(usage.main, parseSchedstat(readText(`/proc/${pid}/schedstat`)) ?? {});
    return usage;
  }
  for (const thread of listNames(`/proc/${pid}/task`)) {
    const directory = `/proc/${pid}/task/${thread}`;
    const scheduled = parseSchedstat(readText(`${directory}/schedstat`));
    if (!scheduled) continue;
    if (thread === String(pid))
      add(usage.main, { ...scheduled, ...parseSwitches(readText(`${directory}/status`)) });
    else
      add(readText(`${directory}/comm`).startsWith(POOL) ? usage.pool : usage.helpers, scheduled);
  }
  return usage;
}

/** The name of Bun's worker threads. */
const POOL = "Bun Pool";

/** Parses the first two fields of schedstat, in ns (Linux Documentation/scheduler/sched-stats). */
export function parseSchedstat(
  text: string,
): Pick<ThreadUsage, "cpuMs" | "runQueueMs"> | undefined {
  const [cpuNs, runQueueNs] = text.trim().split(" ").map(Number);
  return cpuNs === undefined || runQueueNs === undefined
    ? undefined
    : { cpuMs: cpuNs / 1e6, runQueueMs: runQueueNs / 1e6 };
}

/** Parses the fields 14, 15, 24 and 42 of /proc/PID/stat, numbered as in proc(5). */
export function parseStat(
  text: string,
): Pick<ProcessUsage, "totalCpuMs" | "blockIoMs" | "residentMib"> | undefined {
  if (text === "") return undefined;
  // The second field is a name in parentheses, which may contain spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return {
    totalCpuMs: (field(14) + field(15)) * TICK_MS,
    blockIoMs: field(42) * TICK_MS,
    residentMib: (field(24) * PAGE_BYTES) / 2 ** 20,
  };
}

/**
 * Parses context switches in /proc/PID/task/TID/status: voluntary ones are followed by a wake-up,
 * the others are preemptions.
 */
export function parseSwitches(text: string): Pick<ThreadUsage, "wakes" | "preemptions"> {
  const count = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return {
    wakes: count("voluntary_ctxt_switches"),
    preemptions: count("nonvoluntary_ctxt_switches"),
  };
}

export const noUsage = (): ThreadUsage => ({ cpuMs: 0, runQueueMs: 0, wakes: 0, preemptions: 0 });

export function add(sum: ThreadUsage, more: Partial<ThreadUsage>): void {
  for (const key of ["cpuMs", "runQueueMs", "wakes", "preemptions"] as const)
    sum[key] += more[key] ?? 0;
}

/** Sums up processes, including those that have ended in the meantime: backends come and go. */
export function createProcessGroup(detail: Detail) {
  const last = new Map<number, ProcessUsage>();
  return (pids: number[]): ProcessUsage => {
    for (const pid of pids) {
      const usage = readProcess(pid, detail);
      if (usage) last.set(pid, usage);
    }
    const sum: ProcessUsage = {
      main: noUsage(),
      pool: noUsage(),
      helpers: noUsage(),
      totalCpuMs: 0,
      blockIoMs: 0,
      residentMib: 0,
    };
    for (const [pid, usage] of last) {
      for (const threads of ["main", "pool", "helpers"] as const) add(sum[threads], usage[threads]);
      sum.totalCpuMs += usage.totalCpuMs;
      sum.blockIoMs += usage.blockIoMs;
      if (pids.includes(pid)) sum.residentMib += usage.residentMib;
    }
    return sum;
  };
}
