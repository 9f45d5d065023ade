import { rmSync } from "node:fs";
import { dirname, join } from "node:path";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { QUIET, startClusterOn } from "./cluster.ts";
import { type Grouping, measureGrouping } from "./grouping.ts";
import { probeFlushes, type Waits } from "./probe.ts";
import { type OpenedDisk, type ProfileName, profileOf, type Range } from "./profiles.ts";

/** What a disk does: one flush after the other, and how PostgreSQL shares them among clients. */
export type DiskFigures = { fdatasync: Waits; grouping: Grouping[] };

/**
 * What a disk was like just before a run, and why the run is void: empty when it is as its profile
 * says.
 */
export type DiskCheck = DiskFigures & { profile: ProfileName; what: string; doubts: string[] };

const ATTEMPTS = 3;

/**
 * Measures flushes and group commit on the disk of a run. While somebody else has the machine they
 * may be wrong for a moment: three attempts, and a disk that is wrong each time is.
 */
export async function checkDisk(
  profile: ProfileName,
  url: string,
  disk: OpenedDisk,
): Promise<DiskCheck> {
  let figures = await measureDisk(url, disk, [1, 8, 32], 1);
  for (let attempt = 1; attempt < ATTEMPTS && faultsOf(profile, figures).length > 0; attempt++) {
    figures = await measureDisk(url, disk, [1, 8, 32], 1);
  }
  return { profile, what: profileOf(profile).what, ...figures, doubts: faultsOf(profile, figures) };
}

/** Both figures, of the disk and of the PostgreSQL of `url` on it, for `seconds` each. */
export async function measureDisk(
  url: string,
  disk: OpenedDisk,
  clients: number[],
  seconds: number,
): Promise<DiskFigures> {
  const fdatasync = probeFlushes(join(dirname(disk.dataDir), "probe"), seconds, disk.environment);
  return { fdatasync, grouping: await measureGrouping(url, disk, clients, seconds) };
}

/** Both figures of a profile, on a PostgreSQL of its own. */
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
      disk.turn(true);
      return await measureDisk(cluster.url("postgres"), disk, clients, seconds);
    } finally {
      disk.turn(false);
      await cluster.stop();
    }
  } finally {
    disk.close();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** What is not as the profile says, for people. */
export function faultsOf(profile: ProfileName, { fdatasync, grouping }: DiskFigures): string[] {
  const { expected } = profileOf(profile);
  if (expected === undefined) return [];
  const { flushesPerSecond, commitsPerFlush } = expected;
  return [
    ...(flushesPerSecond
      ? faultOf(profile, "flushes a second", fdatasync.perSecond, flushesPerSecond)
      : []),
    ...grouping
      .filter(({ clients }) => clients > 1)
      .flatMap((found) =>
        faultOf(
          profile,
          `commits a flush of ${found.clients} clients`,
          found.commitsPerFlush,
          commitsPerFlush(found.clients),
        ),
      ),
  ];
}

function faultOf(
  profile: ProfileName,
  what: string,
  found: number,
  { least, most }: Range,
): string[] {
  if (found >= least && found <= most) return [];
  return [
    `the disk is not ${profile}: ${found.toFixed(1)} ${what}, not ${least.toFixed(1)} to ${most.toFixed(1)}`,
  ];
}
