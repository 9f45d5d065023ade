import { mkdirSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { identify, isRunning, type ProcessIdentity } from "#lib/processes/process-identity.ts";
import { listNames } from "../hosts/system-files.ts";

/**
 * The resources that a block disk has created so far. Written after each step, so that it can be
 * cleaned up after a crash.
 */
export type BlockState = {
  directory: string;
  /** The process that owns it; null if it stays until `hdd down`. */
  owner: ProcessIdentity | null;
  nbdkit?: ProcessIdentity;
  nbdfuse?: ProcessIdentity;
  loop?: string;
};

/** Directory of all block disks of this machine, one directory each. */
const DISKS = join(tmpdir(), "irontrack-disks");

/** Indexes of the words in the plugin's `struct state`. */
export const PLATTER = { isPaused: 0, flushes: 1, reads: 2, busyNs: 3 };

/** Paths below a disk's directory. */
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

/** The disks that are up, or were left behind. */
export function listStates(): BlockState[] {
  return listNames(DISKS).flatMap((name) => {
    try {
      return [JSON.parse(readFileSync(join(DISKS, name, "state.json"), "utf8")) as BlockState];
    } catch {
      return [];
    }
  });
}

/** Whether its owner has ended without taking it down. */
export function isAbandoned({ owner }: BlockState): boolean {
  return owner !== null && !isRunning(owner);
}

/** Identifies a running process. Throws if there is none. */
export function identifyRunning(pid: number): ProcessIdentity {
  const identified = identify(pid);
  if (!isRunning(identified)) throw new Error(`There is no process ${pid}`);
  return identified;
}
