import { readdirSync, readFileSync } from "node:fs";

/** A process and its current children, such as a postmaster and its backends. */
export function listProcesses(root: number): number[] {
  return [root, ...childrenOf(root)];
}

/**
 * Uses the kernel's list where there is one (CONFIG_PROC_CHILDREN): reading the parent of every
 * process takes milliseconds.
 */
function childrenOf(parent: number): number[] {
  try {
    const listed = readFileSync(`/proc/${parent}/task/${parent}/children`, "utf8").trim();
    return listed === "" ? [] : listed.split(" ").map(Number);
  } catch {
    const all = readdirSync("/proc").filter((name) => /^\d+$/.test(name));
    return all.filter((pid) => parentOf(pid) === parent).map(Number);
  }
}

/**
 * The fourth field of /proc/PID/stat (proc(5)), after the name in parentheses; undefined if the
 * process has ended.
 */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
