import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { isRunning, type ProcessIdentity } from "#lib/processes/process-identity.ts";
import { type BlockState, identifyRunning, PLATTER, pathsIn } from "./block-state.ts";
import { runProgram } from "./run-program.ts";
import { sharedWordsAt } from "./shared-words.ts";

const END_TIMEOUT_MS = 5000;

/**
 * Takes down a disk, or what is left of one after a crash, from its state file and its own files. A
 * PostgreSQL left running on it is stopped at once. Throws OperatorError if another process uses
 * it.
 */
export function takeDown(state: BlockState): void {
  const paths = pathsIn(state.directory);
  // Dirty pages are written without delays.
  if (existsSync(paths.words)) sharedWordsAt(paths.words).write(PLATTER.isPaused, 1);
  if (isMountPoint(paths.mount)) {
    stopPostgresOn(paths.mount);
    spawnSync("umount", [paths.mount]);
    if (isMountPoint(paths.mount)) {
      throw new OperatorError(
        `${paths.mount} is in use; end the programs that use it, then: ./irontrack bench hdd down`,
      );
    }
  }
  for (const loop of loopsOf(paths.device)) runProgram(["losetup", "--detach", loop]);
  if (state.nbdfuse !== undefined) {
    spawnSync("fusermount3", ["-u", paths.fuse]);
    endProcess(state.nbdfuse);
  }
  if (state.nbdkit !== undefined) endProcess(state.nbdkit);
  rmSync(state.directory, { recursive: true, force: true });
}

/** Stops the postmasters whose data is on the disk, by their pid files. */
function stopPostgresOn(mount: string): void {
  for (const name of existsSync(mount) ? readdirSync(mount) : []) {
    try {
      const pid = Number(readFileSync(join(mount, name, "postmaster.pid"), "utf8").split("\n")[0]);
      const cwd = spawnSync("readlink", [`/proc/${pid}/cwd`], { encoding: "utf8" }).stdout.trim();
      if (cwd.startsWith(`${mount}/`)) endProcess(identifyRunning(pid), "SIGQUIT");
    } catch {
      // Not a cluster, or a stopped one.
    }
  }
}

/** Ends a process unless its id has been reused, and waits for its end. */
function endProcess(target: ProcessIdentity, signal: NodeJS.Signals = "SIGTERM"): void {
  if (isRunning(target)) process.kill(target.pid, signal);
  for (let waitedMs = 0; isRunning(target) && waitedMs < END_TIMEOUT_MS; waitedMs += 10)
    Bun.sleepSync(10);
  if (isRunning(target)) process.kill(target.pid, "SIGKILL");
}

/** The loop devices of a file, from the kernel: a crash may precede the state file. */
const loopsOf = (file: string): string[] =>
  spawnSync("losetup", ["--noheadings", "--output", "NAME", "--associated", file], {
    encoding: "utf8",
  })
    .stdout.split("\n")
    .map((name) => name.trim())
    .filter((name) => name !== "");

export const isMountPoint = (path: string) =>
  readFileSync("/proc/self/mounts", "utf8")
    .split("\n")
    .some((line) => line.split(" ")[1] === path);
