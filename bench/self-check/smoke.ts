import { readFileSync } from "node:fs";
import { join } from "node:path";
import { measureProfile } from "../disk/check.ts";
import { type Expectation, profileOf, type Range } from "../disk/profiles.ts";
import { type Counts, countRequests } from "../measure/counts.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { measureStalls } from "../suites/stall.ts";
import { makeFixtures } from "../testbed/fixtures.ts";
import { openTestBed } from "../testbed/testbed.ts";

/** One thing that the laboratory must get right: what it found, and what is right. */
export type Finding = { what: string; found: number; least: number; most: number };

const within = (what: string, found: number, right: number, tolerance: number): Finding => ({
  what,
  found,
  least: right - tolerance,
  most: right + tolerance,
});

/**
 * What the laboratory proves of itself before anybody believes it, within a minute: that it is not
 * fooled by a server that stalls, that its emulated disk turns as a real one, and that it finds a
 * statement and a flush too many.
 */
export async function smoke(onStep: (step: string) => void): Promise<Finding[]> {
  onStep("a server that stalls");
  const stall = await untilRight(stallTrap);
  onStep("an emulated disk");
  const disk = await untilRight(diskFigures);
  onStep("counts of requests");
  const found = [...stall, ...disk, ...(await countsAre("as they are committed", undefined, 0, 0))];
  onStep("a planted statement");
  found.push(...(await countsAre("with a planted statement", "statement", 1, 0)));
  onStep("a planted flush");
  found.push(...(await countsAre("with a planted flush", "flush", 1, 1)));
  return found;
}

export const isRight = ({ found, least, most }: Finding): boolean =>
  found >= least && found <= most;

const ATTEMPTS = 3;

/**
 * Times that are measured while somebody else has the machine are wrong, and no fault of the
 * laboratory: three attempts. One that is fooled is fooled each time.
 */
async function untilRight(measure: () => Promise<Finding[]>): Promise<Finding[]> {
  let found = await measure();
  for (let attempt = 1; attempt < ATTEMPTS && !found.every(isRight); attempt++)
    found = await measure();
  return found;
}

async function stallTrap(): Promise<Finding[]> {
  const { meanMs, p99Ms, failures } = await measureStalls();
  return [
    within("stalls: mean response, ms", meanMs, 50, 2),
    within("stalls: 99th percentile, ms", p99Ms, 475, 10),
    within("stalls: failures", failures, 0, 0),
  ];
}

async function diskFigures(): Promise<Finding[]> {
  const { fdatasync, grouping } = await measureProfile("hdd", [8, 32], 2);
  const { flushesPerSecond, commitsPerFlush } = profileOf("hdd").expected as Expectation;
  return [
    { what: "disk: flushes a second", found: fdatasync.perSecond, ...(flushesPerSecond as Range) },
    ...grouping.map((of) => ({
      what: `disk: commits a flush of ${of.clients} clients`,
      found: of.commitsPerFlush,
      ...commitsPerFlush(of.clients),
    })),
  ];
}

/**
 * Few enough to be quick, and of every sort: remembered, read, written, written in a transaction.
 */
const SAMPLE = ["AccountProfile", "GetWorkout", "LogSet", "CreateRoutine"];

/**
 * The counts of a sample of operations, each beside those of `counts.json` and what a planted fault
 * adds to them.
 */
async function countsAre(
  how: string,
  fault: string | undefined,
  statements: number,
  flushes: number,
) {
  const known = JSON.parse(readFileSync(join(import.meta.dir, "../counts.json"), "utf8")) as Record<
    string,
    Counts
  >;
  const testBed = await openTestBed(
    fault ? { command: ["bench/servers/planted-server.ts", fault] } : {},
  );
  try {
    const fixtures = await makeFixtures(testBed);
    const found: Finding[] = [];
    for (const { operation, request } of HTTP_SCENARIOS.filter((scenario) =>
      SAMPLE.includes(scenario.operation),
    )) {
      const counts = await countRequests(testBed, (n) => request(fixtures, n));
      const was = known[operation] as Counts;
      found.push(
        within(
          `${operation} ${how}: statements`,
          counts.statements,
          was.statements + statements,
          0,
        ),
      );
      found.push(within(`${operation} ${how}: flushes`, counts.flushes, was.flushes + flushes, 0));
    }
    return found;
  } finally {
    await testBed.close();
  }
}
