import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { KnownProcess } from "#lib/processes/known-process.ts";
import { runAtEnd } from "#lib/processes/temporary.ts";
import { referenceDisk } from "../hosts/hosts.ts";
import { pinned } from "../hosts/pinning.ts";
import { takeDown } from "./block-down.ts";
import {
  type BlockState,
  directoryOf,
  isAbandoned,
  knownProcess,
  listStates,
  PLATTER,
  pathsIn,
  writeState,
} from "./block-state.ts";
import { compile } from "./compile.ts";
import { runProgram } from "./run-program.ts";
import { createSharedWords, sharedWordsAt } from "./shared-words.ts";

/**
 * A block device of our own with a file system on it. The loop device's statistics in the kernel
 * are its statistics.
 */
export type BlockDisk = {
  mount: string;
  loop: string;
  turn(isTurning: boolean): void;
  /** What it did while it turned, and the time that this takes such a disk. */
  counts(): { flushes: number; reads: number; busyMs: number };
  close(): void;
};

/** Debian's packages of what is needed beside Linux with loop devices and FUSE. */
export const BLOCK_PACKAGES = "nbdkit nbdkit-plugin-dev libnbd-bin fuse3 gcc e2fsprogs";

/** Sparse, and stands for the whole disk: a seek across it takes as long as across the disk. */
const SIZE_BYTES = 8 * 2 ** 30;
const READY_TIMEOUT_MS = 5000;
/** A disk does not wait for a processor. */
const FIRST = ["chrt", "--fifo", "2"];

/** Why there can be no block disk here, and what to do; undefined when there can. */
export function whyNoBlockDisk(): string | undefined {
  if (process.platform !== "linux") return "hdd-block needs Linux";
  if (process.getuid?.() !== 0)
    return "hdd-block needs root: it mounts a file system (hdd does without)";
  const missing = ["nbdkit", "nbdfuse", "fusermount3", "mkfs.ext4", "losetup", "cc"].filter(
    (name) => !Bun.which(name),
  );
  if (!existsSync("/usr/include/nbdkit-plugin.h")) missing.push("nbdkit-plugin.h");
  if (missing.length > 0)
    return `hdd-block lacks ${missing.join(", ")}: apt-get install ${BLOCK_PACKAGES}`;
  const absent = ["/dev/fuse", "/dev/loop-control"].filter((path) => !existsSync(path));
  if (absent.length > 0)
    return `hdd-block lacks ${absent.join(" and ")}: modprobe fuse loop, or give them to the container`;
  return undefined;
}

/**
 * Brings up a disk with an empty file system, standing still until it is told to turn. Disks whose
 * owners have crashed are taken down first. With `isKept` it stays when this process ends. Throws
 * OperatorError with what is missing here.
 */
export async function openBlockDisk(name: string, { isKept = false } = {}): Promise<BlockDisk> {
  const why = whyNoBlockDisk();
  if (why !== undefined) throw new OperatorError(why);
  for (const left of listStates().filter(isAbandoned)) takeDown(left);
  const directory = directoryOf(name);
  if (listStates().some((state) => state.directory === directory))
    throw new OperatorError(`the disk ${name} is up`, 2);
  const state: BlockState = { directory, owner: isKept ? null : knownProcess(process.pid) };
  writeState(state);
  const cancelTakeDown = isKept ? () => {} : runAtEnd(takingDown());
  try {
    await bringUp(state);
  } catch (error) {
    takeDown(state);
    cancelTakeDown();
    throw error;
  }
  const { words, mount } = pathsIn(directory);
  return {
    mount,
    loop: state.loop as string,
    turn: (isTurning) => turnPlatter(words, isTurning),
    counts: () => {
      const { read } = sharedWordsAt(words);
      return {
        flushes: read(PLATTER.flushes),
        reads: read(PLATTER.reads),
        busyMs: read(PLATTER.busyNs) / 1e6,
      };
    },
    close: () => {
      takeDown(state);
      cancelTakeDown();
    },
  };
}

/** The command that takes down the disks whose owners have ended. */
function takingDown(): string[] {
  const environment = [`TMPDIR=${tmpdir()}`, `PATH=${process.env.PATH}`];
  const cli = join(import.meta.dir, "../cli.ts");
  return ["/usr/bin/env", ...environment, process.execPath, cli, "hdd", "down", "--abandoned"];
}

async function bringUp(state: BlockState): Promise<void> {
  const paths = pathsIn(state.directory);
  for (const directory of [paths.fuse, paths.mount]) mkdirSync(directory, { recursive: true });
  writeFileSync(paths.image, "");
  truncateSync(paths.image, SIZE_BYTES);
  createSharedWords(paths.words);
  turnPlatter(paths.words, false);
  const first = [...pinned("proxy"), ...FIRST];

  runProgram([
    ...first,
    "nbdkit",
    "--unix",
    paths.socket,
    "--pidfile",
    paths.nbdkitPid,
    ...platterOf(state.directory),
  ]);
  state.nbdkit = await processIn(paths.nbdkitPid);
  writeState(state);

  const fuse = [
    ...first,
    "nbdfuse",
    "--pidfile",
    paths.nbdfusePid,
    paths.device,
    "--unix",
    paths.socket,
  ];
  // Not by startProgram: a kept disk outlives this process, and any other must outlive PostgreSQL.
  Bun.spawn(fuse, { detached: true, stdio: ["ignore", "ignore", "ignore"] }).unref();
  state.nbdfuse = await processIn(paths.nbdfusePid);
  writeState(state);

  // Direct: else the kernel keeps a second copy of what is read, and no read is cold twice.
  state.loop = runProgram(["losetup", "--find", "--show", "--direct-io=on", paths.device]).trim();
  writeState(state);

  // Nothing is left to be initialised later, and the journal is where the data is.
  const layout = "lazy_itable_init=0,lazy_journal_init=0,packed_meta_blocks=1";
  runProgram(["mkfs.ext4", "-q", "-N", "65536", "-E", layout, state.loop]);
  runProgram(["mount", "-t", "ext4", "-o", "noatime", state.loop, paths.mount]);
}

/** The plugin and its parameters, by the disk of the reference machine. */
function platterOf(directory: string): string[] {
  const parameters = referenceDisk();
  const { rpm, trackSeekMs, transferMbPerS, cacheMib } = parameters;
  const ns = (ms: number) => Math.round(ms * 1e6);
  return [
    compile("platter.c", "library"),
    `image=${pathsIn(directory).image}`,
    `state=${pathsIn(directory).words}`,
    `rotation_ns=${ns(60_000 / rpm)}`,
    `track_seek_ns=${ns(trackSeekMs)}`,
    `full_seek_ns=${ns(fullSeekMs(parameters))}`,
    `mb_per_s=${transferMbPerS}`,
    `cache_mib=${cacheMib}`,
  ];
}

/**
 * Across the whole disk, by the average: the plugin's seek grows with the root of the way, and the
 * mean root of the distance of two random places is 8/15.
 */
export function fullSeekMs({
  averageSeekMs,
  trackSeekMs,
}: {
  averageSeekMs: number;
  trackSeekMs: number;
}): number {
  return trackSeekMs + (averageSeekMs - trackSeekMs) * (15 / 8);
}

/** Lets a disk that is up turn, or stand still: nothing takes time then. */
function turnPlatter(words: string, isTurning: boolean): void {
  sharedWordsAt(words).write(PLATTER.isStill, isTurning ? 0 : 1);
}

async function processIn(pidFile: string): Promise<KnownProcess> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 10) {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    if (pid > 0) return knownProcess(pid);
    await Bun.sleep(10);
  }
  throw new OperatorError(`${pidFile} did not appear: the block disk does not come up here`);
}
