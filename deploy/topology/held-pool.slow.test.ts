import { afterAll, beforeAll, expect, test } from "bun:test";
import { openPool } from "#db/client.ts";
import {
  type Entry,
  failuresOf,
  type Load,
  signUpPeople,
  startLoad,
  summaryOf,
} from "#test/journal.ts";
import { describeTopology, openTopology, type TestTopology } from "#test/topology.ts";
import { isReady } from "./workers.ts";

const RATE = 100;
const HELD_MS = 30_000;
/** The time until all connections are held: other requests still use some of them. */
const TAKING_MS = 2000;
const RECOVERY_MS = 1000;
/** `default_pool_size` of deploy/pgbouncer/pooling.ini. */
const SERVER_CONNECTIONS = 16;

describeTopology("while every connection to PostgreSQL is held for thirty seconds", () => {
  let topology: TestTopology;
  let people: string[];
  beforeAll(async () => {
    topology = await openTopology({ workers: 2 });
    people = await signUpPeople(topology.unix, 4);
  });
  afterAll(() => topology?.close());

  /**
   * Requests the liveness probe through the proxy ten times a second, until the returned function
   * is called.
   */
  function watchLiveness(): () => Promise<number[]> {
    let isOver = false;
    const statuses = new Set<number>();
    const watching = (async () => {
      for (; !isOver; await Bun.sleep(100)) {
        const answer = await fetch("http://localhost/health/live", { unix: topology.unix });
        await answer.text();
        statuses.add(answer.status);
      }
    })();
    return async () => {
      isOver = true;
      await watching;
      return [...statuses];
    };
  }

  /**
   * Runs `hold` under load. Returns the requests sent while it held the connections, and those sent
   * soon after it released them.
   */
  async function held(name: string, hold: () => Promise<void>) {
    const load = startLoad({ unix: topology.unix, people, rate: RATE, seed: name.length });
    await Bun.sleep(2000);
    const stopWatching = watchLiveness();
    const startedAtMs = performance.now();
    const holding = hold();
    await Bun.sleep(HELD_MS / 2);
    const areReady = await Promise.all(topology.workers.current().sockets.map(isReady));
    await holding;
    const endedAtMs = performance.now();
    await Bun.sleep(RECOVERY_MS + 4000);
    await load.stop();
    const meanwhile = between(load, startedAtMs + TAKING_MS, startedAtMs + HELD_MS - TAKING_MS);
    console.log(`${name}: ${summaryOf({ ...load, entries: meanwhile })}; ${longest(meanwhile)}`);
    const failedAfter = failuresOf(load).filter(
      ({ startedAtMs: at }) => at > endedAtMs + RECOVERY_MS,
    );
    expect(failedAfter).toEqual([]);
    expect(await stopWatching()).toEqual([200]);
    expect(await Promise.all(topology.workers.current().sockets.map(isReady))).toEqual([
      true,
      true,
    ]);
    return { meanwhile, areReady };
  }

  test("by sleeping transactions: requests that need a connection get 503 soon, others succeed", async () => {
    const holders = openPool(topology.urls.pooled, { size: SERVER_CONNECTIONS, prepare: false });
    const sleep = () =>
      holders.transaction(async ({ sql }) => {
        await sql`select set_config('statement_timeout', '0', true), set_config('transaction_timeout', '0', true)`;
        await sql`select pg_sleep(${HELD_MS / 1000})`;
      });
    const { meanwhile, areReady } = await held("held by sleepers", async () => {
      await Promise.all(Array.from({ length: SERVER_CONNECTIONS }, sleep));
    });
    await holders.close(0);
    expectSoonTold(meanwhile, 4500);
    expect(areReady).toEqual([false, false]);
    expect(
      meanwhile.filter(({ kind, status }) => kind === "list" && status === 200).length,
    ).toBeGreaterThan(RATE);
  });

  test("by a lock that all transactions wait for: likewise", async () => {
    const owner = openPool(topology.urls.owner, { size: 1, prepare: false });
    const { meanwhile } = await held("held by a lock", () =>
      owner.transaction(async ({ sql }) => {
        await sql`lock table routines in access exclusive mode`;
        await Bun.sleep(HELD_MS);
      }),
    );
    await owner.close(0);
    expectSoonTold(meanwhile, 4500);
  });
});

const between = ({ entries }: Load, fromMs: number, toMs: number) =>
  entries.filter(({ startedAtMs }) => startedAtMs > fromMs && startedAtMs < toMs);

const durations = (entries: Entry[]) =>
  entries.map(({ startedAtMs, endedAtMs }) => endedAtMs - startedAtMs);

const longest = (entries: Entry[]) => {
  const sorted = durations(entries).sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] ?? Number.NaN);
  return `half within ${at(0.5)} ms, 99 % within ${at(0.99)}, all within ${at(1)}`;
};

function expectSoonTold(entries: Entry[], mostMs: number) {
  const failures = entries.filter(({ status }) => status === 0 || status >= 400);
  expect(failures.length).toBeGreaterThan(RATE);
  expect(new Set(failures.map(({ status }) => status))).toEqual(new Set([503]));
  expect(durations(entries).filter((durationMs) => durationMs > mostMs)).toEqual([]);
}
