import { listNames, readText } from "../hosts/system-files.ts";

/** Time that all threads of a process have spent on a CPU, in ns; 0 when it has ended. */
export const cpuNsOf = (pid: number): number =>
  [...cpuNsByThread([pid]).values()].reduce((sum, ns) => sum + ns, 0);

/**
 * Time that each thread of some processes has spent on a CPU, in ns, by thread id: the first field
 * of schedstat (Linux Documentation/scheduler/sched-stats). Processes and threads that end in the
 * meantime are left out.
 */
export function cpuNsByThread(pids: number[]): Map<string, number> {
  const times = new Map<string, number>();
  for (const pid of pids) {
    for (const thread of listNames(`/proc/${pid}/task`)) {
      const schedstat = readText(`/proc/${pid}/task/${thread}/schedstat`);
      // Empty if the thread ended after it was listed.
      if (schedstat !== "") times.set(thread, Number(schedstat.split(" ")[0]));
    }
  }
  return times;
}

/**
 * CPU time between two readings, of the threads in the later one. A thread that ended in between
 * does not distort the difference; one that is new counts in full.
 */
export function usedNs(earlier: Map<string, number>, later: Map<string, number>): number {
  return [...later].reduce((sum, [thread, ns]) => sum + ns - (earlier.get(thread) ?? 0), 0);
}
