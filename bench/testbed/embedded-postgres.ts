import { readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { pin } from "../hosts/pinning.ts";
import { cpuNsOf } from "./server-process.ts";

export const socketDir = (dir: string) => join(dir, "run/postgres");
export const databaseUrl = (dir: string) =>
  `postgres://irontrack@localhost/irontrack?host=${encodeURIComponent(socketDir(dir))}`;

/**
 * Time on a CPU of the embedded PostgreSQL under `dir`, all its processes, in ns; 0 while none
 * runs.
 */
export function postgresNs(dir: string): number {
  return listUnder(dir).reduce((sum, pid) => sum + cpuNsOf(pid), 0);
}

/** Moves PostgreSQL, which a pinned server started, to cores of its own. */
export function pinPostgres(dir: string): void {
  pin(listUnder(dir), "postgres");
}

function listUnder(dir: string): number[] {
  const postmaster = readPostmasterId(join(dir, "postgres/postmaster.pid"));
  return postmaster === undefined ? [] : listProcesses(postmaster);
}

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

function readPostmasterId(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8").split("\n")[0]);
  } catch {
    return undefined;
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
