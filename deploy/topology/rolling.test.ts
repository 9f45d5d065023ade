import { afterAll, beforeAll, expect, test } from "bun:test";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openHome } from "#lib/home.ts";
import { compareJournal, failuresOf, signUpPeople, startLoad, summaryOf } from "#test/journal.ts";
import { makeOwnDatabase, type OwnDatabase } from "#test/own-database.ts";
import { describeProxied } from "#test/proxied-app.ts";
import { databaseSettings } from "#test/transaction.ts";
import { type RunningProxy, startProxy } from "./proxy.ts";
import { startWorkers, type Workers } from "./workers.ts";

/** nothing-lost.slow.test.ts replaces the workers three times at 300 requests per second. */
const RATE = 100;

describeProxied("workers behind the proxy", () => {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-rolling-"));
  const unix = join(dir, "edge.sock");
  let database: OwnDatabase;
  let workers: Workers;
  let proxy: RunningProxy;
  beforeAll(async () => {
    database = await makeOwnDatabase();
    const cheap = {
      PASSWORD_MEMORY_KIB: "19456",
      PASSWORD_PASSES: "2",
      SIGN_UPS_PER_ADDRESS: "1000",
    };
    workers = await startWorkers({
      count: 2,
      runDir: openHome(dir).runDir,
      settings: {
        ...databaseSettings(database.url),
        ...cheap,
        IRONTRACK_HOME: dir,
        DRAIN_LINGER_S: "1",
      },
      logFile: join(dir, "workers.log"),
    });
    proxy = await startProxy({
      directory: join(dir, "proxy"),
      workerSockets: workers.sockets,
      listen: { unix },
      variant: "bench",
    });
  });
  afterAll(async () => {
    await proxy?.stop();
    await workers?.stop();
    await database?.drop();
    rmSync(dir, { recursive: true, force: true });
  });

  test("are replaced one by one, and no request fails", async () => {
    const load = startLoad({ unix, people: await signUpPeople(unix, 2), rate: RATE, seed: 1 });
    const before = workers.pids();
    await workers.replace();
    await load.stop();
    expect(workers.pids().filter((pid) => before.includes(pid))).toEqual([]);
    expect(failuresOf(load), summaryOf(load)).toEqual([]);
    expect(await compareJournal(load, database.pool)).toEqual({ lost: [], doubled: [] });
    expect(load.entries.length).toBeGreaterThan(RATE);
  });
});
