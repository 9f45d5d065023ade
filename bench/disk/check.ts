import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { QUIET, startClusterOn } from "./cluster.ts";
import { type Grouping, measureGrouping } from "./grouping.ts";
import { probeFlushes, type Waits } from "./probe.ts";
import { type OpenedDisk, type ProfileName, profileOf, type Range } from "./profiles.ts";

/** Flushes one after the other, and how PostgreSQL shares them among clients. */
export type DiskFigures = { fdatasync: Waits; grouping: Grouping[] };

/** The disk just before a run. With warnings the run is void. */
export type DiskCheck = DiskFigures & { profile: ProfileName; what: string; doubts: string[] };

const ATTEMPTS = 3;

/**
 * Measures flushes and group commit on a run's disk. Other load can distort a measurement, so it is
 * repeated up to three times.
 */
export async function checkDisk(
  profile: ProfileName,
  url: string,
  disk: OpenedDisk,
): Promise<DiskCheck> {
  let figures = await measureDisk(url, disk, [1, 8, 32], 1);
  for (
    let attempt = 1;
    attempt < ATTEMPTS && findDiskWarnings(profile, figures).length > 0;
    attempt++
  ) {
    figures = await measureDisk(url, disk, [1, 8, 32], 1);
  }
  return {
    profile,
    what: profileOf(profile).what,
    ...figures,
    doubts: findDiskWarnings(profile, figures),
  };
}

/** Measures the disk and the PostgreSQL of `url` on it, for `seconds` each. */
export async function measureDisk(
  url: string,
  disk: OpenedDisk,
  clients: number[],
  seconds: number,
): Promise<DiskFigures> {
  const fdatasync = probeFlushes(join(dirname(disk.dataDir), "probe"), seconds, disk.environment);
  return { fdatasync, grouping: await measureGrouping(url, disk, clients, seconds) };
}

/** Measures a profile with its own PostgreSQL. */
export async function measureProfile(
  profile: ProfileName,
  clients: number[],
  seconds: number,
): Promise<DiskFigures> {
  const directory = temporaryDirectory("disk");
  const disk = await profileOf(profile).open(directory);
  try {
    const cluster = await startClusterOn(disk, directory, QUIET);
    try {
      disk.emulateDelays(true);
      return await measureDisk(cluster.url("postgres"), disk, clients, seconds);
    } finally {
      disk.emulateDelays(false);
      await cluster.stop();
    }
  } finally {
    disk.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** Validity warnings: the figures that differ from the profile. */
export function findDiskWarnings(
  profile: ProfileName,
  { fdatasync, grouping }: DiskFigures,
): string[] {
  const { expected } = profileOf(profile);
  if (expected === undefined) return [];
  const { flushesPerSecond, commitsPerFlush } = expected;
  return [
    ...(flushesPerSecond
      ? checkRange(profile, "flushes per second", fdatasync.perSecond, flushesPerSecond)
      : []),
    ...grouping
      .filter(({ clients }) => clients > 1)
      .flatMap((actual) =>
        checkRange(
          profile,
          `commits per flush with ${actual.clients} clients`,
          actual.commitsPerFlush,
          commitsPerFlush(actual.clients),
        ),
      ),
  ];
}

function checkRange(
  profile: ProfileName,
  what: string,
  actual: number,
  { min, max }: Range,
): string[] {
  if (actual >= min && actual <= max) return [];
  return [
    `the disk is not ${profile}: ${actual.toFixed(1)} ${what}, not ${min.toFixed(1)} to ${max.toFixed(1)}`,
  ];
}
