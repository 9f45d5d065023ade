import { readFileSync } from "node:fs";
import { join } from "node:path";
import { measureProfile } from "../disk/check.ts";
import { type Expectation, profileOf, type Range } from "../disk/profiles.ts";
import { type Counts, countRequests } from "../measure/counts.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { measureStalls } from "../suites/stall.ts";
import { makeFixtures } from "../testbed/fixtures.ts";
import { openTestBed } from "../testbed/testbed.ts";

/** One check of the laboratory: the measured value and its valid range. */
export type Check = { what: string; found: number; min: number; max: number };

const expectNear = (what: string, found: number, expected: number, tolerance: number): Check => ({
  what,
  found,
  min: expected - tolerance,
  max: expected + tolerance,
});

/**
 * Verifies the laboratory within a minute: it measures a stalling server without coordinated
 * omission, its emulated disk is as slow as specified, and it detects one extra statement or flush.
 */
export async function smoke(onStep: (step: string) => void): Promise<Check[]> {
  onStep("stalling server");
  const stall = await retryUntilRight(checkStalls);
  onStep("emulated disk");
  const disk = await retryUntilRight(checkDisk);
  onStep("counts of requests");
  const checks = [...stall, ...disk, ...(await checkCounts("as committed", undefined, 0, 0))];
  onStep("planted statement");
  checks.push(...(await checkCounts("with a planted statement", "statement", 1, 0)));
  onStep("planted flush");
  checks.push(...(await checkCounts("with a planted flush", "flush", 1, 1)));
  return checks;
}

export const isRight = ({ found, min, max }: Check): boolean => found >= min && found <= max;

const ATTEMPTS = 3;

/**
 * Repeats a timing check, because other load on the machine can spoil it. A faulty laboratory fails
 * every attempt.
 */
async function retryUntilRight(measure: () => Promise<Check[]>): Promise<Check[]> {
  let checks = await measure();
  for (let attempt = 1; attempt < ATTEMPTS && !checks.every(isRight); attempt++)
    checks = await measure();
  return checks;
}

async function checkStalls(): Promise<Check[]> {
  const { meanMs, p99Ms, failures } = await measureStalls();
  return [
    expectNear("stalls: mean latency, ms", meanMs, 50, 2),
    expectNear("stalls: 99th percentile, ms", p99Ms, 475, 10),
    expectNear("stalls: failures", failures, 0, 0),
  ];
}

async function checkDisk(): Promise<Check[]> {
  const { fdatasync, grouping } = await measureProfile("hdd", [8, 32], 2);
  const { flushesPerSecond, commitsPerFlush } = profileOf("hdd").expected as Expectation;
  return [
    {
      what: "disk: flushes per second",
      found: fdatasync.perSecond,
      ...(flushesPerSecond as Range),
    },
    ...grouping.map(({ clients, commitsPerFlush: found }) => ({
      what: `disk: commits per flush, ${clients} clients`,
      found,
      ...commitsPerFlush(clients),
    })),
  ];
}

/** One operation of each kind: cached, read, written, written in a transaction. */
const SAMPLE = ["AccountProfile", "GetWorkout", "LogSet", "CreateRoutine"];

/** Compares the counts of sample operations with counts.json plus the cost of a planted fault. */
async function checkCounts(
  how: string,
  fault: string | undefined,
  statements: number,
  flushes: number,
) {
  const file = join(import.meta.dir, "../counts.json");
  const committed: Record<string, Counts> = JSON.parse(readFileSync(file, "utf8"));
  const testBed = await openTestBed(
    fault ? { command: ["bench/servers/planted-server.ts", fault] } : {},
  );
  try {
    const fixtures = await makeFixtures(testBed);
    const checks: Check[] = [];
    for (const { operation, request } of HTTP_SCENARIOS.filter((scenario) =>
      SAMPLE.includes(scenario.operation),
    )) {
      const counts = await countRequests(testBed, (n) => request(fixtures, n));
      const known = committed[operation] as Counts;
      const label = `${operation} ${how}`;
      checks.push(
        expectNear(`${label}: statements`, counts.statements, known.statements + statements, 0),
        expectNear(`${label}: flushes`, counts.flushes, known.flushes + flushes, 0),
      );
    }
    return checks;
  } finally {
    await testBed.close();
  }
}
