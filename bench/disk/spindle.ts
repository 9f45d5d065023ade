import { join } from "node:path";
import { compile } from "./compile.ts";
import { createSharedWords, type SharedWords, sharedWordsAt } from "./shared-words.ts";

/** How fast an emulated disk is. Without rotation nothing waits, and flushes are counted only. */
export type Disk = { rotationMs: number; seekMs: number };

export const COUNTING: Disk = { rotationMs: 0, seekMs: 0 };

export type DiskCounts = { flushes: number; coldReads: number; waitedMs: number };

export type Spindle = {
  /** Where its state is, for `readSpindle` in another process. */
  path: string;
  /** What a process needs in its environment to have this disk, and its children with it. */
  environment: Record<string, string>;
  /**
   * Since the beginning: flushes (fsync and fdatasync), reads that the page cache did not have, and
   * how long processes have been blocked in both, together, without what they waited for a
   * processor.
   */
  counts(): DiskCounts;
  /** Lets it turn, as it does from the beginning, or stand still: nothing waits then. */
  turn(isTurning: boolean): void;
};

/** The words of `struct spindle`. */
const WORDS = { flushes: 1, coldReads: 2, waitedNs: 3, isStill: 4 };

/** An emulated disk whose state is kept under `directory`. Throws when there is no C compiler. */
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
    counts: () => countsIn(words),
    turn: (isTurning) => words.write(WORDS.isStill, isTurning ? 0 : 1),
  };
}

/** What an emulated disk whose state is at `path` has done. */
export const readSpindle = (path: string): DiskCounts => countsIn(sharedWordsAt(path));

const countsIn = (words: SharedWords): DiskCounts => ({
  flushes: words.read(WORDS.flushes),
  coldReads: words.read(WORDS.coldReads),
  waitedMs: words.read(WORDS.waitedNs) / 1e6,
});
