import { readdirSync, readFileSync } from "node:fs";
import { onWire } from "../load/wire.ts";
import type { Scenario, World } from "../testbed/fixtures.ts";
import type { Side } from "../testbed/pair-testbed.ts";

/**
 * What a request of one operation cost a side: CPU of server and PostgreSQL, and, taken in turn,
 * how long it took.
 */
export type Cost = { cpuUs: number; p50Ms?: number; p90Ms?: number };
export type Metric = keyof Cost;

/** In one pair. */
export type Costs = { before: Cost; after: Cost };

const MADE_AT_ONCE = 8;

/** `count` requests as they go over the wire; what has to be there for them is made first. */
export async function makeRequests(
  { request }: Scenario,
  { worlds }: Pick<Side, "worlds">,
  count: number,
): Promise<string[]> {
  const texts: string[] = [];
  let next = 0;
  const makeSome = async () => {
    for (let n = next++; n < count; n = next++)
      texts[n] = onWire(await request(worlds[n % worlds.length] as World, n));
  };
  await Promise.all(Array.from({ length: MADE_AT_ONCE }, makeSome));
  return texts;
}

/**
 * Nanoseconds on a CPU of each thread of processes, by its id (the first field of schedstat, Linux
 * Documentation/scheduler/sched-stats): the difference of two readings is not spoilt by a thread
 * that ended between them.
 */
export function cpuNsByThread(pids: number[]): Map<string, number> {
  const found = new Map<string, number>();
  for (const pid of pids) {
    try {
      for (const thread of readdirSync(`/proc/${pid}/task`)) {
        found.set(
          thread,
          Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, "utf8").split(" ")[0]),
        );
      }
    } catch {
      // It ended between the listing and the reading: backends and threads come and go.
    }
  }
  return found;
}

/** What threads that are still there have used since; one that is new has used it all since. */
export function usedNs(earlier: Map<string, number>, later: Map<string, number>): number {
  return [...later].reduce((sum, [thread, ns]) => sum + ns - (earlier.get(thread) ?? 0), 0);
}
