import { afterAll, beforeAll, expect, test } from "bun:test";
import { readFileSync } from "node:fs";
import { mulberry32 } from "#bench/figures/statistics.ts";
import { openPool, type Pool } from "#db/client.ts";
import {
  affordableRate,
  compareJournal,
  type Entry,
  failuresOf,
  type Load,
  signUpPeople,
  startLoad,
  summaryOf,
} from "#test/journal.ts";
import { describeTopology, openTopology, type TestTopology } from "#test/topology.ts";
import { isReady } from "./workers.ts";

const SEED = Number(process.env.NOTHING_LOST_SEED ?? Math.floor(Math.random() * 2 ** 31));
const MAX_RATE = 300;
/** How long the load continues after the fault. */
const AFTERWARDS_MS = 5000;
/** The time within which the system must recover by itself. */
const RECOVERY_MS = 2000;

describeTopology("nothing is lost", () => {
  let topology: TestTopology;
  let owner: Pool;
  let people: string[];
  let rate: number;
  beforeAll(async () => {
    console.log(`NOTHING_LOST_SEED=${SEED}`);
    topology = await openTopology({ workers: 4 });
    owner = openPool(topology.urls.owner, { size: 1, prepare: false });
    people = await signUpPeople(topology.unix, 4);
    rate = await affordableRate(topology.unix, people, MAX_RATE);
    console.log(`${rate} requests a second`);
  });
  afterAll(async () => {
    await owner?.close();
    await topology?.close();
  });

  /**
   * Injects the fault `harm` under load, continues the load, and checks that no acknowledged write
   * of the journal was lost or doubled.
   */
  async function under(name: string, part: number, harm: () => Promise<void>): Promise<Load> {
    const load = startLoad({ unix: topology.unix, people, rate, seed: SEED + part });
    await Bun.sleep(1000);
    await harm();
    await Bun.sleep(AFTERWARDS_MS);
    await load.stop();
    console.log(`${name}: ${summaryOf(load)}`);
    expect(await compareJournal(load, owner)).toEqual({ lost: [], doubled: [] });
    expect(load.entries.filter(({ status }) => status === 201).length).toBeGreaterThan(rate);
    return load;
  }
  const startedAfter = (load: Load, atMs: number) =>
    failuresOf(load).filter(({ startedAtMs }) => startedAtMs > atMs);

  const areReady = () => Promise.all(topology.workers.current().sockets.map(isReady));

  test("all workers are replaced three times: no request fails", async () => {
    const load = await under("replaced", 1, async () => {
      for (let round = 0; round < 3; round++) await topology.workers.current().replace();
    });
    expect(failuresOf(load)).toEqual([]);
  });

  test("a worker is killed every two seconds for a minute: only writes in flight on it fail", async () => {
    const kills: Kill[] = [];
    const random = mulberry32(SEED);
    const load = await under("killed", 2, async () => {
      for (let kill = 0; kill < 30; kill++) {
        const pids = topology.workers.current().pids();
        const victim = pids[Math.floor(random() * pids.length)];
        if (victim !== undefined) {
          kills.push({ atMs: performance.now(), socket: socketOf(victim) });
          process.kill(victim, "SIGKILL");
        }
        await Bun.sleep(2000);
      }
    });
    const failures = failuresOf(load);
    expect(failures.filter(({ kind }) => kind !== "write")).toEqual([]);
    // The proxy writes its log once a second.
    await Bun.sleep(1500);
    const asked = workersAsked(readFileSync(topology.proxy?.current().accessLog as string, "utf8"));
    const wasOn = ({ requestId }: Entry, { socket }: Kill) =>
      asked.get(requestId)?.includes(`unix:${socket}`) ?? false;
    const isExplained = (entry: Entry) =>
      kills.some((kill) => wasInFlight(entry, kill) && wasOn(entry, kill));
    expect(failures.filter((entry) => !isExplained(entry))).toEqual([]);
  });

  test("PgBouncer is restarted: the application recovers", async () => {
    for (const how of ["restart", "kill"] as const) {
      let backAtMs = 0;
      const load = await under(`PgBouncer ${how}`, how === "kill" ? 4 : 3, async () => {
        const { pid } = topology.pooler?.current() ?? {};
        if (how === "restart") await topology.pooler?.restart();
        else process.kill(pid as number, "SIGKILL");
        backAtMs = performance.now();
      });
      expect(startedAfter(load, backAtMs + RECOVERY_MS)).toEqual([]);
      expect(failuresOf(load).filter(({ status }) => status !== 503)).toEqual([]);
    }
  });

  test("PostgreSQL exits immediately, without a checkpoint: the application recovers, and readiness reports it", async () => {
    let backAtMs = 0;
    const load = await under("PostgreSQL immediate", 5, async () => {
      const pid = topology.postgres.pid() as number;
      process.kill(pid, "SIGQUIT");
      // It has none until it is started again and takes connections.
      while ([pid, undefined].includes(topology.postgres.pid())) await Bun.sleep(10);
      backAtMs = performance.now();
      await Bun.sleep(RECOVERY_MS);
      expect(await areReady()).toEqual([true, true, true, true]);
    });
    expect(startedAfter(load, backAtMs + RECOVERY_MS)).toEqual([]);
    expect(failuresOf(load).filter(({ status }) => status !== 503)).toEqual([]);
  });

  test("PostgreSQL hangs for five seconds: workers report not ready, stay alive, and become ready again", async () => {
    const pid = topology.postgres.pid() as number;
    const workers = topology.workers.current();
    const pids = workers.pids();
    await under("PostgreSQL hangs", 6, async () => {
      // The backends that serve, too: a stopped postmaster alone would only take no new ones.
      const [{ backends } = { backends: [] }] = await owner.sql<{ backends: number[] }[]>`
        select array_agg(pid) as backends from pg_stat_activity where usename = 'irontrack_app'`;
      const signal = (name: NodeJS.Signals) => {
        for (const each of [pid, ...backends]) process.kill(each, name);
      };
      signal("SIGSTOP");
      await Bun.sleep(3000);
      const whileHanging = await areReady();
      const areAlive = await Promise.all(
        workers.sockets.map(
          async (unix) => (await fetch("http://localhost/health/live", { unix })).status,
        ),
      );
      await Bun.sleep(2000);
      signal("SIGCONT");
      await Bun.sleep(RECOVERY_MS);
      expect(whileHanging).toEqual([false, false, false, false]);
      expect(areAlive).toEqual([200, 200, 200, 200]);
      expect(await areReady()).toEqual([true, true, true, true]);
    });
    expect(workers.pids().sort()).toEqual(pids.sort());
  });
});

type Kill = { atMs: number; socket: string };

/** The proxy may still have passed the request to the worker that was being killed. */
const wasInFlight = ({ startedAtMs, endedAtMs }: Entry, { atMs }: Kill) =>
  startedAtMs < atMs + 200 && endedAtMs > atMs;

/** The path of a worker's socket. */
function socketOf(pid: number): string {
  const environment = readFileSync(`/proc/${pid}/environ`, "utf8").split("\0");
  return (
    environment.find((each) => each.startsWith("SOCKET_PATH="))?.slice("SOCKET_PATH=".length) ?? ""
  );
}

/** The workers that the proxy tried for each request id, from its access log. */
function workersAsked(accessLog: string): Map<string, string> {
  const lines = accessLog.split("\n").filter((line) => line.includes('"requestId":"journal-'));
  return new Map(
    lines.map((line) => JSON.parse(line)).map(({ requestId, worker }) => [requestId, worker]),
  );
}
