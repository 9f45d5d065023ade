import { readFileSync } from "node:fs";

/** A process by its id and the time of its start: an id alone may be reused by another process. */
export type ProcessIdentity = { pid: number; startedAt: string | undefined };

/** Identifies a process. `startedAt` is undefined without /proc, or if there is no such process. */
export const identify = (pid: number): ProcessIdentity => ({
  pid,
  startedAt: statOf(pid)?.startedAt,
});

/** Whether the same process still runs; a zombie does not. */
export function isRunning({ pid, startedAt }: ProcessIdentity): boolean {
  if (!canSignal(pid)) return false;
  const stat = statOf(pid);
  return (
    stat === undefined ||
    (stat.state !== "Z" && (startedAt === undefined || stat.startedAt === startedAt))
  );
}

/** Signals a process, or a group by its negative id. Does nothing if it has ended. */
export function sendSignal(pid: number, signal: NodeJS.Signals): void {
  try {
    process.kill(pid, signal);
  } catch {
    // It ended in the meantime.
  }
}

function canSignal(pid: number): boolean {
  try {
    return process.kill(pid, 0);
  } catch (error) {
    return (error as { code?: string }).code === "EPERM";
  }
}

/** Fields 3 and 22 of /proc/PID/stat (proc(5)): the state, and the start in ticks since boot. */
function statOf(pid: number): { state: string; startedAt: string } | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    const fields = stat.slice(stat.lastIndexOf(")") + 2).split(" ");
    return { state: fields[0] as string, startedAt: fields[19] as string };
  } catch {
    return undefined;
  }
}
