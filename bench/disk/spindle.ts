import { spawnSync } from "node:child_process";
import { createHash } from "node:crypto";
import { chmodSync, closeSync, existsSync, openSync, readFileSync, readSync, renameSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

/** How fast an emulated disk is. Without rotation nothing waits, and flushes are counted only. */
export type Disk = { rotationMs: number; seekMs: number };

/** 7200 revolutions a minute; a seek over a third of the platter. */
export const HDD: Disk = { rotationMs: 60_000 / 7200, seekMs: 8.5 };
export const COUNTING: Disk = { rotationMs: 0, seekMs: 0 };

export type DiskCounts = { flushes: number; coldReads: number; waitedMs: number };

export type Spindle = {
  /** What a process needs in its environment to have this disk, and its children with it. */
  environment: Record<string, string>;
  /**
   * Since the beginning: flushes (fsync and fdatasync), reads that the page cache did not have, and how long processes
   * have waited for both, together.
   */
  counts(): DiskCounts;
};

const SOURCE = join(import.meta.dir, "spindle.c");

/** An emulated disk whose state is kept under `directory`. Throws when there is no C compiler. */
export function openSpindle(directory: string, { rotationMs, seekMs }: Disk): Spindle {
  const file = join(directory, "spindle");
  writeFileSync(file, Buffer.alloc(4096));
  // PostgreSQL runs as another user than root.
  chmodSync(file, 0o666);
  return {
    environment: {
      LD_PRELOAD: compiled(),
      SPINDLE_FILE: file,
      SPINDLE_ROTATION_NS: String(Math.round(rotationMs * 1e6)),
      SPINDLE_SEEK_NS: String(Math.round(seekMs * 1e6)),
    },
    counts: () => {
      const handle = openSync(file, "r");
      const words = Buffer.alloc(32);
      readSync(handle, words, 0, 32, 0);
      closeSync(handle);
      const word = (at: number) => Number(words.readBigUInt64LE(at * 8));
      return { flushes: word(1), coldReads: word(2), waitedMs: word(3) / 1e6 };
    },
  };
}

/** The library, made once for each version of its source. */
function compiled(): string {
  const version = createHash("sha256").update(readFileSync(SOURCE)).digest("hex").slice(0, 16);
  const library = join(tmpdir(), `irontrack-spindle-${version}.so`);
  if (existsSync(library)) return library;
  const unfinished = `${library}.${process.pid}`;
  const done = spawnSync("cc", ["-O2", "-Wall", "-shared", "-fPIC", "-o", unfinished, SOURCE, "-ldl"], {
    encoding: "utf8",
  });
  if (done.status !== 0) {
    throw new Error(`The emulated disk needs a C compiler: ${done.error?.message ?? done.stderr}`);
  }
  chmodSync(unfinished, 0o755);
  renameSync(unfinished, library);
  return library;
}
