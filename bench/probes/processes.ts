import { readdirSync, readFileSync } from "node:fs";

/**
 * What threads have used since they began: ms on a processor and waiting for one, and how often
 * they slept or were put off (counted for the main thread of a server only).
 */
export type ThreadUsage = { cpuMs: number; runQueueMs: number; wakes: number; preemptions: number };

export type ProcessUsage = {
  /**
   * The thread that a process began with: the only one of a PostgreSQL backend, the one that runs
   * JavaScript in Bun.
   */
  main: ThreadUsage;
  /**
   * Threads that work which was handed to them is done on, and waited for: password hashes, files.
   */
  pool: ThreadUsage;
  /** Collecting garbage, compiling: nobody waits for it, but it takes processors. */
  helpers: ThreadUsage;
  /** In user and kernel mode, threads that have ended among them; to 10 ms. */
  totalCpuMs: number;
  /** Waiting for block devices; 0 unless kernel.task_delayacct is 1. To 10 ms. */
  blockIoMs: number;
  residentMib: number;
};

/** Clock ticks of /proc in ms: USER_HZ is 100 wherever Linux runs. */
const TICK_MS = 10;
const PAGE_BYTES = 4096;

/** Which of a process's threads are told apart: looking at each costs a read of three files. */
export type Detail = "threads" | "process";

/**
 * What a process has used since it began; undefined when it has ended. Of a `process`, only the
 * main thread is read.
 */
export function readProcess(pid: number, detail: Detail): ProcessUsage | undefined {
  const stat = parseStat(readText(`/proc/${pid}/stat`));
  if (!stat) return undefined;
  const usage: ProcessUsage = { main: nothing(), pool: nothing(), helpers: nothing(), ...stat };
  if (detail === "process") {
    add(usage.main, parseSchedstat(readText(`/proc/${pid}/schedstat`)) ?? {});
    return usage;
  }
  for (const thread of listThreads(pid)) {
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

/** What Bun calls the threads of its pool. */
const POOL = "Bun Pool";

/** The first two fields of schedstat, in ns (Linux Documentation/scheduler/sched-stats). */
export function parseSchedstat(
  text: string,
): Pick<ThreadUsage, "cpuMs" | "runQueueMs"> | undefined {
  const [cpuNs, runQueueNs] = text.trim().split(" ").map(Number);
  return cpuNs === undefined || runQueueNs === undefined
    ? undefined
    : { cpuMs: cpuNs / 1e6, runQueueMs: runQueueNs / 1e6 };
}

/** The fields 14, 15, 24 and 42 of /proc/PID/stat by their numbers in proc(5). */
export function parseStat(
  text: string,
): Pick<ProcessUsage, "totalCpuMs" | "blockIoMs" | "residentMib"> | undefined {
  if (text === "") return undefined;
  // The second field is a name in parentheses, which may hold spaces and parentheses.
  const fields = text.slice(text.lastIndexOf(")") + 2).split(" ");
  const field = (number: number) => Number(fields[number - 3] ?? 0);
  return {
    totalCpuMs: (field(14) + field(15)) * TICK_MS,
    blockIoMs: field(42) * TICK_MS,
    residentMib: (field(24) * PAGE_BYTES) / 2 ** 20,
  };
}

/**
 * From /proc/PID/task/TID/status: a thread that slept was woken again; one that was put off had
 * more to do.
 */
export function parseSwitches(text: string): Pick<ThreadUsage, "wakes" | "preemptions"> {
  const count = (name: string) =>
    Number(new RegExp(`^${name}:\\s+(\\d+)`, "m").exec(text)?.[1] ?? 0);
  return {
    wakes: count("voluntary_ctxt_switches"),
    preemptions: count("nonvoluntary_ctxt_switches"),
  };
}

export const nothing = (): ThreadUsage => ({ cpuMs: 0, runQueueMs: 0, wakes: 0, preemptions: 0 });

export function add(sum: ThreadUsage, more: Partial<ThreadUsage>): void {
  for (const key of ["cpuMs", "runQueueMs", "wakes", "preemptions"] as const)
    sum[key] += more[key] ?? 0;
}

/**
 * Adds processes up, those that have ended among them: backends come and go, and what they did was
 * done.
 */
export function createProcessGroup(detail: Detail) {
  const last = new Map<number, ProcessUsage>();
  return (pids: number[]): ProcessUsage => {
    for (const pid of pids) {
      const usage = readProcess(pid, detail);
      if (usage) last.set(pid, usage);
    }
    const sum = {
      ...{ main: nothing(), pool: nothing(), helpers: nothing() },
      ...{ totalCpuMs: 0, blockIoMs: 0, residentMib: 0 },
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

function listThreads(pid: number): string[] {
  try {
    return readdirSync(`/proc/${pid}/task`);
  } catch {
    return [];
  }
}

/** Empty when it is not there: processes end, and kernels differ. */
export function readText(path: string): string {
  try {
    return readFileSync(path, "utf8");
  } catch {
    return "";
  }
}
