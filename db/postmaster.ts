import { spawnSync } from "node:child_process";
import {
  existsSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  realpathSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import {
  identify,
  isRunning,
  type KnownProcess,
  sendSignal,
} from "#lib/processes/known-process.ts";

/** A failure of PostgreSQL itself to start, with its own last words. */
export class ClusterError extends OperatorError {}

/** Throws ClusterError if `dataDir` contains anything but a cluster, which must not be replaced. */
export function refuseForeignData(dataDir: string): void {
  if (!existsSync(dataDir) || existsSync(join(dataDir, "PG_VERSION"))) return;
  const isEmptyDirectory = statSync(dataDir).isDirectory() && readdirSync(dataDir).length === 0;
  if (!isEmptyDirectory)
    throw new ClusterError(
      `${dataDir} is in the way: it is not empty and has no PG_VERSION. Move it elsewhere`,
    );
}

const STOP_TIMEOUT_MS = 10_000;

/**
 * Stops a server that a killed process left on this data directory; a stale pid file is recognised
 * and removed.
 */
export async function stopLeftover(dataDir: string) {
  const left = readPidFile(dataDir);
  if (!left) return;
  if (isServerOf(left.pid, dataDir)) await stopPostmaster(identify(left.pid));
  else rmSync(join(dataDir, "postmaster.pid"), { force: true });
}

function isServerOf(pid: number, dataDir: string): boolean {
  if (!isRunning(identify(pid))) return false;
  try {
    return realpathSync(readlinkSync(`/proc/${pid}/cwd`)) === realpathSync(dataDir);
  } catch {
    const shown =
      spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
    return shown.includes("postgres") && shown.includes(dataDir);
  }
}

/**
 * Fast shutdown, then immediate shutdown, then SIGKILL if each takes too long. Returns when it has
 * ended.
 */
async function stopPostmaster(server: KnownProcess) {
  for (const signal of ["SIGINT", "SIGQUIT", "SIGKILL"] as const) {
    sendSignal(server.pid, signal);
    for (
      const deadline = performance.now() + STOP_TIMEOUT_MS;
      performance.now() < deadline;
      await Bun.sleep(5)
    )
      if (!isRunning(server)) return;
  }
}

/**
 * postmaster.pid: the first line is the process, the eighth its state (PostgreSQL's miscadmin.h).
 */
export function readPidFile(dataDir: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? "" };
  } catch {
    return undefined;
  }
}
