import type { ChildProcess } from "node:child_process";
import { eventually } from "./eventually.ts";

/** The process ids of the workers that became ready, oldest first, by the supervisor's log. */
export const readyPids = (log: string) =>
  [...log.matchAll(/"pid":(\d+)[^\n]*"msg":"worker is ready"/g)].map(([, pid]) => Number(pid));

/** Polls until `condition` holds. Throws with the log if the supervisor ends before. */
export const whileSupervised = (
  supervisor: ChildProcess,
  log: () => string,
  condition: () => boolean,
) =>
  eventually(() => {
    if (condition()) return true;
    if (supervisor.exitCode !== null) throw new Error(`It ended: ${log()}`);
    return false;
  });
