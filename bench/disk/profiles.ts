import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { referenceDisk } from "../hosts/hosts.ts";
import { openBlockDisk } from "./block.ts";
import { COUNTING, type Disk, type DiskCounts, openSpindle } from "./spindle.ts";

/** The disk of PostgreSQL's data. */
export type OpenedDisk = {
  dataDir: string;
  /** Environment of PostgreSQL's processes. */
  environment: Record<string, string>;
  /** Settings of postgresql.conf. */
  settings: Record<string, string>;
  /** Path of its counters, for `readSpindle` in another process. */
  path: string;
  counts(): DiskCounts;
  /**
   * Switches the delays of an emulated disk on or off. They are off at first, so that filling a
   * database is fast.
   */
  emulateDelays(isOn: boolean): void;
  close(): void;
};

export type Range = { min: number; max: number };

/** The limits within which a disk must perform for a run to be valid. */
export type Expectation = {
  /** Undefined if it depends on this machine's disk. */
  flushesPerSecond: Range | undefined;
  commitsPerFlush(clients: number): Range;
};

export type Profile = {
  /** A description that reports show with the figures. */
  what: string;
  /** Undefined if any disk is valid. */
  expected: Expectation | undefined;
  open(directory: string): Promise<OpenedDisk>;
};

export const PROFILE_NAMES = ["native", "hdd-lite", "hdd", "hdd-block"] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** Checks a profile's name. Throws OperatorError with the known names. */
export function profileNamed(name: string): ProfileName {
  const profile = PROFILE_NAMES.find((candidate) => candidate === name);
  if (profile !== undefined) return profile;
  throw new OperatorError(`there is no profile ${name}; there are ${PROFILE_NAMES.join(", ")}`, 2);
}

export const profileOf = (name: ProfileName): Profile => PROFILES[name];

const around = (expected: number, tolerance: number): Range => ({
  min: expected * (1 - tolerance),
  max: expected * (1 + tolerance),
});

const rotationMs = () => 60_000 / referenceDisk().rpm;

/** A commit during a flush waits for the next one, so that half of the clients share each flush. */
const spinningDisk = (): Expectation => ({
  flushesPerSecond: around(1000 / rotationMs(), 0.05),
  commitsPerFlush: (clients) => around(clients / 2, 0.1),
});

const PROFILES: Record<ProfileName, Profile> = {
  native: {
    what: "the disk of this machine",
    expected: undefined,
    open: async (directory) => underSpindle(directory, COUNTING),
  },
  "hdd-lite": {
    what: "the disk of this machine with commit_delay: two times optimistic from two clients on, and does not slow down reads",
    // All commits during a delay share its flush.
    expected: { flushesPerSecond: undefined, commitsPerFlush: (clients) => around(clients, 0.1) },
    open: async (directory) => ({
      ...underSpindle(directory, COUNTING),
      settings: { commit_delay: String(Math.round(rotationMs() * 1000)), commit_siblings: "0" },
    }),
  },
  hdd: {
    what: "an emulated disk of 7200 rpm with one spindle, under PostgreSQL only; the kernel's statistics do not include it",
    get expected() {
      return spinningDisk();
    },
    open: async (directory) =>
      underSpindle(directory, { rotationMs: rotationMs(), seekMs: referenceDisk().averageSeekMs }),
  },
  "hdd-block": {
    what: "an emulated block device of 7200 rpm with one head, included in the kernel's statistics",
    get expected() {
      return spinningDisk();
    },
    open: async (directory) => {
      const spindle = underSpindle(directory, COUNTING);
      const block = await openBlockDisk(`run-${process.pid}-${performance.now().toFixed(0)}`);
      return {
        ...spindle,
        dataDir: join(block.mount, "data"),
        emulateDelays: block.emulateDelays,
        close: block.close,
      };
    },
  },
};

function underSpindle(directory: string, disk: Disk): OpenedDisk {
  const { environment, path, counts, emulateDelays } = openSpindle(directory, disk);
  emulateDelays(false);
  return {
    dataDir: join(directory, "data"),
    environment,
    settings: {},
    path,
    counts,
    emulateDelays,
    close: () => {},
  };
}
