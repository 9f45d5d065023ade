import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { referenceDisk } from "../hosts/hosts.ts";
import { openBlockDisk } from "./block.ts";
import { COUNTING, type Disk, type DiskCounts, openSpindle } from "./spindle.ts";

/** Where PostgreSQL's data is, and what makes it as slow as it is. */
export type OpenedDisk = {
  dataDir: string;
  /** Of PostgreSQL's processes. */
  environment: Record<string, string>;
  /** Of postgresql.conf. */
  settings: Record<string, string>;
  /** Of its counts, for `readSpindle` in another process. */
  path: string;
  counts(): DiskCounts;
  /**
   * An emulated disk stands still until it is told to turn, so that filling a database takes no
   * longer than elsewhere.
   */
  turn(isTurning: boolean): void;
  close(): void;
};

export type Range = { least: number; most: number };

/** What a disk must be like before a run on it counts. */
export type Expectation = {
  /** Undefined: as the disk of this machine. */
  flushesPerSecond: Range | undefined;
  commitsPerFlush(clients: number): Range;
};

export type Profile = {
  /** Said wherever its figures are shown. */
  what: string;
  /** Undefined: any disk is right. */
  expected: Expectation | undefined;
  open(directory: string): Promise<OpenedDisk>;
};

export const PROFILE_NAMES = ["native", "hdd-lite", "hdd", "hdd-block"] as const;
export type ProfileName = (typeof PROFILE_NAMES)[number];

/** A name as somebody typed it. Throws OperatorError with those that there are. */
export function profileNamed(name: string): ProfileName {
  const known = PROFILE_NAMES.find((profile) => profile === name);
  if (known !== undefined) return known;
  throw new OperatorError(`there is no profile ${name}; there are ${PROFILE_NAMES.join(", ")}`, 2);
}

export const profileOf = (name: ProfileName): Profile => PROFILES[name];

const around = (right: number, tolerance: number): Range => ({
  least: right * (1 - tolerance),
  most: right * (1 + tolerance),
});

const rotationMs = () => 60_000 / referenceDisk().rpm;

/**
 * A disk is busy with a flush: who comes meanwhile waits for the next one, so that half of the
 * clients share each.
 */
const spinning = (): Expectation => ({
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
    what: "the disk of this machine with commit_delay: two times optimistic from two clients on, and blind to reads",
    // All who come while one waits go with it.
    expected: { flushesPerSecond: undefined, commitsPerFlush: (clients) => around(clients, 0.1) },
    open: async (directory) => ({
      ...underSpindle(directory, COUNTING),
      settings: { commit_delay: String(Math.round(rotationMs() * 1000)), commit_siblings: "0" },
    }),
  },
  hdd: {
    what: "an emulated disk of 7200 rpm with one spindle, under PostgreSQL only; the kernel knows nothing of it",
    get expected() {
      return spinning();
    },
    open: async (directory) =>
      underSpindle(directory, { rotationMs: rotationMs(), seekMs: referenceDisk().averageSeekMs }),
  },
  "hdd-block": {
    what: "an emulated block device of 7200 rpm with one head; the kernel's figures are of it",
    get expected() {
      return spinning();
    },
    open: async (directory) => {
      const spindle = underSpindle(directory, COUNTING);
      const block = await openBlockDisk(`run-${process.pid}-${performance.now().toFixed(0)}`);
      return {
        ...spindle,
        dataDir: join(block.mount, "data"),
        turn: block.turn,
        close: block.close,
      };
    },
  },
};

function underSpindle(directory: string, disk: Disk): OpenedDisk {
  const { environment, path, counts, turn } = openSpindle(directory, disk);
  turn(false);
  return {
    dataDir: join(directory, "data"),
    environment,
    settings: {},
    path,
    counts,
    turn,
    close: () => {},
  };
}
