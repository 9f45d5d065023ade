import { join } from "node:path";
import { compile } from "./compile.ts";
import { createSharedWords, type SharedWords, sharedWordsAt } from "./shared-words.ts";

/**
 * The speed of an emulated disk. With a rotation of 0 ms nothing is delayed: flushes reach
 * the real disk, and operations are only counted.
 */
export type Disk = { rotationMs: number; seekMs: number };

export const COUNTING: Disk = { rotationMs: 0, seekMs: 0 };

export type DiskCounts = { flushes: number; coldReads: number; waitedMs: number };

export type Spindle = {
  /** Path of its state, for `readSpindle` in another process. */
  path: string;
  /** Environment of the processes that use this disk; children inherit it. */
  environment: Record<string, string>;
  /**
   * Totals of flushes (fsync and fdatasync), reads that missed the page cache, and the time that
   * processes were blocked in either, excluding waits for a CPU.
   */
  counts(): DiskCounts;
  /** Switches delays on or off; they are on at first. */
  emulateDelays(isOn: boolean): void;
};

/** Indexes of the words in `struct spindle`. */
const WORDS = { flushes: 1, coldReads: 2, waitedNs: 3, isPaused: 4 };

/**
 * Creates an emulated disk with its state under `directory`. Throws OperatorError without a C
 * compiler.
 */
export function openSpindle(directory: string, { rotationMs, seekMs }: Disk): Spindle {
  const words = createSharedWords(join(directory, "spindle"));
  return {
    environment: {
      LD_PRELOAD: compile("spindle.c", "library"),
      SPINDLE_FILE: words.path,
      SPINDLE_ROTATION_NS: String(Math.round(rotationMs * 1e6)),
      SPINDLE_SEEK_NS: String(Math.round(seekMs * 1e6)),
    },
    path: words.path,
    counts: () => readCounts(words),
    emulateDelays: (isOn) => words.write(WORDS.isPaused, isOn ? 0 : 1),
  };
}

/** The counters of the emulated disk whose state is at `path`. */
export const readSpindle = (path: string): DiskCounts => readCounts(sharedWordsAt(path));

const readCounts = (words: SharedWords): DiskCounts => ({
  flushes: words.read(WORDS.flushes),
  coldReads: words.read(WORDS.coldReads),
  waitedMs: words.read(WORDS.waitedNs) / 1e6,
});
