import { existsSync, mkdirSync, readFileSync, truncateSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { ProcessIdentity } from "#lib/processes/process-identity.ts";
import { runAtEnd } from "#lib/processes/temporary.ts";
import { referenceDisk } from "../hosts/hosts.ts";
import { pinned } from "../hosts/pinning.ts";
import { takeDown } from "./block-down.ts";
import {
  type BlockState,
  directoryOf,
  identifyRunning,
  isAbandoned,
  listStates,
  PLATTER,
  pathsIn,
  writeState,
} from "./block-state.ts";
import { compile } from "./compile.ts";
import { runProgram } from "./run-program.ts";
import { createSharedWords, sharedWordsAt } from "./shared-words.ts";

/**
 * An emulated block device with a file system. The kernel keeps the statistics of its loop device.
 */
export type BlockDisk = {
  mount: string;
  loop: string;
  emulateDelays(isOn: boolean): void;
  /** Flushes and reads while delays were on, and the time that they took. */
  counts(): { flushes: number; reads: number; busyMs: number };
  close(): void;
};

/** Debian packages that are needed besides Linux with loop devices and FUSE. */
export const BLOCK_PACKAGES = "nbdkit nbdkit-plugin-dev libnbd-bin fuse3 gcc e2fsprogs";

/**
 * The sparse image represents the whole disk: a seek across it takes as long as across the disk.
 */
const SIZE_BYTES = 8 * 2 ** 30;
const READY_TIMEOUT_MS = 5000;
/** Real-time priority: a disk does not wait for a CPU. */
const REAL_TIME_PRIORITY = ["chrt", "--fifo", "2"];

/** Why a block disk is not possible here, and the remedy; undefined if it is possible. */
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
 * Creates a disk with an empty file system, with delays off. Disks of crashed owners are taken down
 * first. With `isKept` it outlives this process. Throws OperatorError with what is missing.
 */
export async function openBlockDisk(name: string, { isKept = false } = {}): Promise<BlockDisk> {
  const problem = whyNoBlockDisk();
  if (problem !== undefined) throw new OperatorError(problem);
  for (const left of listStates().filter(isAbandoned)) takeDown(left);
  const directory = directoryOf(name);
  if (listStates().some((state) => state.directory === directory))
    throw new OperatorError(`the disk ${name} is up`, 2);
  const state: BlockState = { directory, owner: isKept ? null : identifyRunning(process.pid) };
  writeState(state);
  const cancelTakeDown = isKept ? () => {} : runAtEnd(takeDownCommand());
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
    emulateDelays: (isOn) => switchDelays(words, isOn),
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

/** The command that takes down abandoned disks. */
function takeDownCommand(): string[] {
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
  switchDelays(paths.words, false);
  const prefix = [...pinned("proxy"), ...REAL_TIME_PRIORITY];

  runProgram([
    ...prefix,
    "nbdkit",
    "--unix",
    paths.socket,
    "--pidfile",
    paths.nbdkitPid,
    ...platterCommand(state.directory),
  ]);
  state.nbdkit = await processIn(paths.nbdkitPid);
  writeState(state);

  const fuse = [
    ...prefix,
    "nbdfuse",
    "--pidfile",
    paths.nbdfusePid,
    paths.device,
    "--unix",
    paths.socket,
  ];
  // Not startProgram: a kept disk outlives this process, and any other must outlive PostgreSQL.
  Bun.spawn(fuse, { detached: true, stdio: ["ignore", "ignore", "ignore"] }).unref();
  state.nbdfuse = await processIn(paths.nbdfusePid);
  writeState(state);

  // Direct I/O: otherwise the kernel would keep a second copy, and no read would be cold twice.
  state.loop = runProgram(["losetup", "--find", "--show", "--direct-io=on", paths.device]).trim();
  writeState(state);

  // No deferred initialisation, and the journal is next to the data.
  const layout = "lazy_itable_init=0,lazy_journal_init=0,packed_meta_blocks=1";
  runProgram(["mkfs.ext4", "-q", "-N", "65536", "-E", layout, state.loop]);
  runProgram(["mount", "-t", "ext4", "-o", "noatime", state.loop, paths.mount]);
}

/** The plugin and its parameters from the reference machine's disk. */
function platterCommand(directory: string): string[] {
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
 * The seek time across the whole disk, from the average: seek time grows with the square root of
 * the distance, whose mean over two random positions is 8/15.
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

/** Switches a disk's delays on or off. */
function switchDelays(words: string, isOn: boolean): void {
  sharedWordsAt(words).write(PLATTER.isPaused, isOn ? 0 : 1);
}

async function processIn(pidFile: string): Promise<ProcessIdentity> {
  for (let waitedMs = 0; waitedMs < READY_TIMEOUT_MS; waitedMs += 10) {
    const pid = existsSync(pidFile) ? Number(readFileSync(pidFile, "utf8")) : 0;
    if (pid > 0) return identifyRunning(pid);
    await Bun.sleep(10);
  }
  throw new OperatorError(`${pidFile} did not appear: the block disk cannot be started here`);
}
