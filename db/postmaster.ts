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
  type ProcessIdentity,
  sendSignal,
} from "#lib/processes/process-identity.ts";

/** PostgreSQL failed to start; the message ends with its last error. */
export class ClusterError extends OperatorError {}

/** Throws ClusterError if `dataDir` contains anything but a cluster. */
export function refuseForeignData(dataDir: string): void {
  if (!existsSync(dataDir) || existsSync(join(dataDir, "PG_VERSION"))) return;
  const isEmptyDirectory = statSync(dataDir).isDirectory() && readdirSync(dataDir).length === 0;
  if (!isEmptyDirectory)
    throw new ClusterError(
      `${dataDir} is in the way: it is not empty and has no PG_VERSION. Move it elsewhere`,
    );
}

const STOP_TIMEOUT_MS = 10_000;

/** Stops a server that a killed process left running on `dataDir`. Removes a stale pid file. */
export async function stopLeftover(dataDir: string) {
  const leftover = readPidFile(dataDir);
  if (!leftover) return;
  if (isServerOf(leftover.pid, dataDir)) await stopPostmaster(identify(leftover.pid));
  else rmSync(join(dataDir, "postmaster.pid"), { force: true });
}

function isServerOf(pid: number, dataDir: string): boolean {
  if (!isRunning(identify(pid))) return false;
  try {
    return realpathSync(readlinkSync(`/proc/${pid}/cwd`)) === realpathSync(dataDir);
  } catch {
    const command =
      spawnSync("ps", ["-o", "command=", "-p", String(pid)], { encoding: "utf8" }).stdout ?? "";
    return command.includes("postgres") && command.includes(dataDir);
  }
}

/** Tries a fast shutdown, an immediate one and SIGKILL, and returns when the server has exited. */
async function stopPostmaster(server: ProcessIdentity) {
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

/** Reads postmaster.pid: line 1 is the process id, line 8 the state (PostgreSQL's miscadmin.h). */
export function readPidFile(dataDir: string): { pid: number; status: string } | undefined {
  try {
    const lines = readFileSync(join(dataDir, "postmaster.pid"), "utf8").split("\n");
    return { pid: Number(lines[0]), status: lines[7]?.trim() ?? "" };
  } catch {
    return undefined;
  }
}
