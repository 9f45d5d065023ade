import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isRunning, type KnownProcess } from "#lib/processes/known-process.ts";

/**
 * What a block disk has started and taken so far; written down after each step, so that a crash
 * leaves a trace.
 */
export type BlockState = {
  directory: string;
  /** Whose end makes it abandoned; null: it stays until `hdd down`. */
  owner: KnownProcess | null;
  nbdkit?: KnownProcess;
  nbdfuse?: KnownProcess;
  loop?: string;
};

/** Where all block disks of this machine are: one directory each. */
const DISKS = join(tmpdir(), "irontrack-disks");

/** The words of the plugin's `struct state`. */
export const PLATTER = { isStill: 0, flushes: 1, reads: 2, busyNs: 3 };

/** Paths in a disk's directory. */
export const pathsIn = (directory: string) => ({
  image: join(directory, "image"),
  words: join(directory, "words"),
  socket: join(directory, "nbd.sock"),
  fuse: join(directory, "fuse"),
  device: join(directory, "fuse/nbd"),
  mount: join(directory, "mount"),
  nbdkitPid: join(directory, "nbdkit.pid"),
  nbdfusePid: join(directory, "nbdfuse.pid"),
});

export const directoryOf = (name: string) => join(DISKS, name);

export function writeState(state: BlockState): void {
  mkdirSync(state.directory, { recursive: true, mode: 0o755 });
  const file = join(state.directory, "state.json");
  writeFileSync(`${file}.new`, `${JSON.stringify(state, null, 2)}\n`);
  renameSync(`${file}.new`, file);
}

/** Those that are up, or were when they were left. */
export function listStates(): BlockState[] {
  return namesIn(DISKS).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(DISKS, name, "state.json"), "utf8")) as BlockState];
    } catch {
      return [];
    }
  });
}

/** Whether nobody will take it down: its owner has ended. */
export function isAbandoned({ owner }: BlockState): boolean {
  return owner !== null && !isRunning(owner);
}

/** The process as it is now; throws when there is none. */
export function knownProcess(pid: number): KnownProcess {
  const known = identify(pid);
  if (!isRunning(known)) throw new Error(`There is no process ${pid}`);
  return known;
}

function namesIn(directory: string): string[] {
  try {
    return readdirSync(directory);
  } catch {
    return [];
  }
}
