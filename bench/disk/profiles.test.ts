import { expect, test } from "bun:test";
import { readHost } from "../hosts/hosts.ts";
import { fullSeekMs } from "./block.ts";
import { findDiskWarnings } from "./check.ts";
import { type Expectation, PROFILE_NAMES, profileNamed, profileOf } from "./profiles.ts";

/** A disk with these flushes per second, and commits per flush with 32 clients. */
const figures = (perSecond: number, commitsPerFlush: number) => ({
  fdatasync: { perSecond, medianMs: 1000 / perSecond, p99Ms: 1000 / perSecond },
  grouping: [
    {
      clients: 32,
      commitsPerSecond: perSecond * commitsPerFlush,
      flushesPerSecond: perSecond,
      commitsPerFlush,
    },
  ],
});

test("the emulated disks rotate as the reference machine's file says", () => {
  const rpm = readHost("fx8320").disk.parameters?.rpm as number;
  for (const name of ["hdd", "hdd-block"] as const) {
    const { flushesPerSecond, commitsPerFlush } = profileOf(name).expected as Expectation;
    expect(((flushesPerSecond?.min ?? 0) + (flushesPerSecond?.max ?? 0)) / 2).toBeCloseTo(
      rpm / 60,
      6,
    );
    expect(commitsPerFlush(32).min).toBeLessThan(16);
    expect(commitsPerFlush(32).max).toBeGreaterThan(16);
  }
});

test("fullSeekMs gives seeks whose mean is the average seek time", () => {
  const [trackSeekMs, averageSeekMs] = [0.8, 8.5];
  const full = fullSeekMs({ trackSeekMs, averageSeekMs });
  const steps = Array.from({ length: 1000 }, (_, at) => (at + 0.5) / 1000);
  // The distance between two random places has the density 2 (1 - d).
  const mean = steps.reduce(
    (sum, d) => sum + (2 * (1 - d) * (trackSeekMs + (full - trackSeekMs) * Math.sqrt(d))) / 1000,
    0,
  );
  expect(mean).toBeCloseTo(averageSeekMs, 2);
});

test("a disk that differs from its profile voids the run, and the warning names the figure", () => {
  expect(findDiskWarnings("hdd", figures(119, 15.9))).toEqual([]);
  expect(findDiskWarnings("hdd", figures(4000, 16))).toEqual([
    "the disk is not hdd: 4000.0 flushes per second, not 114.0 to 126.0",
  ]);
  expect(findDiskWarnings("hdd", figures(120, 32))).toHaveLength(1);
  expect(findDiskWarnings("native", figures(7, 1))).toEqual([]);
});

test("hdd-lite shares flushes among all clients, and its description says that it is optimistic", () => {
  expect(profileOf("hdd-lite").what).toContain("two times optimistic from two clients on");
  expect(findDiskWarnings("hdd-lite", figures(4000, 31.9))).toEqual([]);
  expect(findDiskWarnings("hdd-lite", figures(4000, 16))).toHaveLength(1);
});

test("an unknown profile is refused with a list of the known names", () => {
  expect(() => profileNamed("ssd")).toThrow(PROFILE_NAMES.join(", "));
});
