import { expect, test } from "bun:test";
import { readHost } from "../hosts/hosts.ts";
import { fullSeekMs } from "./block.ts";
import { faultsOf } from "./check.ts";
import { type Expectation, PROFILE_NAMES, profileNamed, profileOf } from "./profiles.ts";

/** A disk that makes so many flushes a second, and so many commits of each with 32 clients. */
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

test("the emulated disks turn as the reference machine's file says", () => {
  const rpm = readHost("fx8320").disk.parameters?.rpm as number;
  for (const name of ["hdd", "hdd-block"] as const) {
    const { flushesPerSecond, commitsPerFlush } = profileOf(name).expected as Expectation;
    expect(((flushesPerSecond?.least ?? 0) + (flushesPerSecond?.most ?? 0)) / 2).toBeCloseTo(
      rpm / 60,
      6,
    );
    expect(commitsPerFlush(32).least).toBeLessThan(16);
    expect(commitsPerFlush(32).most).toBeGreaterThan(16);
  }
});

test("the mean of all seeks is the one that the file gives", () => {
  const [trackSeekMs, averageSeekMs] = [0.8, 8.5];
  const full = fullSeekMs({ trackSeekMs, averageSeekMs });
  const steps = Array.from({ length: 1000 }, (_, at) => (at + 0.5) / 1000);
  // The distance of two random places has the density 2 (1 - d).
  const mean = steps.reduce(
    (sum, d) => sum + (2 * (1 - d) * (trackSeekMs + (full - trackSeekMs) * Math.sqrt(d))) / 1000,
    0,
  );
  expect(mean).toBeCloseTo(averageSeekMs, 2);
});

test("a disk that is not what its profile says voids the run, by the figure that gives it away", () => {
  expect(faultsOf("hdd", figures(119, 15.9))).toEqual([]);
  expect(faultsOf("hdd", figures(4000, 16))).toEqual([
    "the disk is not hdd: 4000.0 flushes a second, not 114.0 to 126.0",
  ]);
  expect(faultsOf("hdd", figures(120, 32))).toHaveLength(1);
  expect(faultsOf("native", figures(7, 1))).toEqual([]);
});

test("hdd-lite is the other way to be wrong, and says so wherever it is shown", () => {
  expect(profileOf("hdd-lite").what).toContain("two times optimistic from two clients on");
  expect(faultsOf("hdd-lite", figures(4000, 31.9))).toEqual([]);
  expect(faultsOf("hdd-lite", figures(4000, 16))).toHaveLength(1);
});

test("a profile that is not there is refused with those that are", () => {
  expect(() => profileNamed("ssd")).toThrow(PROFILE_NAMES.join(", "));
});
