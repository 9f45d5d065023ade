import { readdirSync, readFileSync } from "node:fs";

/** A postmaster and its children: backends come and go. */
export function listProcesses(postmaster: number): number[] {
  return [postmaster, ...childrenOf(postmaster)];
}

/**
 * The kernel's own list where it keeps one (CONFIG_PROC_CHILDREN): asking every process costs
 * milliseconds.
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
 * The fourth field of /proc/PID/stat (proc(5)), after the name in parentheses; undefined when it
 * has ended.
 */
function parentOf(pid: string): number | undefined {
  try {
    const stat = readFileSync(`/proc/${pid}/stat`, "utf8");
    return Number(stat.slice(stat.lastIndexOf(")") + 2).split(" ")[1]);
  } catch {
    return undefined;
  }
}
