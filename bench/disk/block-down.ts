import { spawnSync } from "node:child_process";
import { existsSync, readdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { isRunning, type KnownProcess } from "#lib/processes/known-process.ts";
import { type BlockState, knownProcess, PLATTER, pathsIn } from "./block-state.ts";
import { runProgram } from "./run-program.ts";
import { sharedWordsAt } from "./shared-words.ts";

const END_TIMEOUT_MS = 5000;

/**
 * Takes a disk down, whatever is up of it and whoever left it: what it wrote down, and what is of
 * its own files. A PostgreSQL that was left on it is stopped at once. Throws OperatorError when
 * somebody else uses it.
 */
export function takeDown(state: BlockState): void {
  const paths = pathsIn(state.directory);
  // What is still in the page cache need not be waited for.
  if (existsSync(paths.words)) sharedWordsAt(paths.words).write(PLATTER.isStill, 1);
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
    end(state.nbdfuse);
  }
  if (state.nbdkit !== undefined) end(state.nbdkit);
  rmSync(state.directory, { recursive: true, force: true });
}

/** The postmasters whose data is on the disk, by their own pid files. */
function stopPostgresOn(mount: string): void {
  for (const name of existsSync(mount) ? readdirSync(mount) : []) {
    try {
      const pid = Number(readFileSync(join(mount, name, "postmaster.pid"), "utf8").split("\n")[0]);
      const where = spawnSync("readlink", [`/proc/${pid}/cwd`], { encoding: "utf8" }).stdout.trim();
      if (where.startsWith(`${mount}/`)) end(knownProcess(pid), "SIGQUIT");
    } catch {
      // Not a cluster, or one that has stopped.
    }
  }
}

/** Ends a process that is still the one that was meant, and waits for that. */
function end(known: KnownProcess, signal: NodeJS.Signals = "SIGTERM"): void {
  if (isRunning(known)) process.kill(known.pid, signal);
  for (let waitedMs = 0; isRunning(known) && waitedMs < END_TIMEOUT_MS; waitedMs += 10)
    Bun.sleepSync(10);
  if (isRunning(known)) process.kill(known.pid, "SIGKILL");
}

/**
 * The loop devices of one file: asked for anew, since a crash may have come before it was written
 * down.
 */
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
