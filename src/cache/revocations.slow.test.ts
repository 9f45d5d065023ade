import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { type Cluster, type ClusterPaths, ensureDatabase, startCluster } from "#db/embedded.ts";
import { isDatabaseUnavailable } from "#db/errors.ts";
import { startStandby } from "#db/standby.ts";
import { apiOn, testConfig } from "#test/harness.ts";
import { makeUser, signedIn } from "#test/make.ts";
import { migrateWithRoles } from "#test/own-database.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { createTokens } from "../access/tokens.ts";

const REVOCATIONS = 2000;
const LANES = 8;
/** A disturbance each time that so many logins have been ended. */
const DISTURBED_EVERY = 80;
const P = "/api/v1/access";
const DATABASE = "irontrack_test";
const OPTIONS = { durable: false, settings: { synchronous_commit: "on" } };
const dir = mkdtempSync(join(tmpdir(), "irontrack-vanishing-"));
const paths = (name: string): ClusterPaths => ({
  dataDir: join(dir, name),
  socketDir: join(dir, `${name}.run`),
  logFile: join(dir, `${name}.log`),
});

let primary: Cluster;
let standby: Cluster;
let url: string;
let pool: Pool;
let processes: Processes;
let ending: ServingProcess;
let asked: ServingProcess;

/** Everything connects to `current`, which leads to one cluster or the other. */
function leadTo(name: string) {
  symlinkSync(paths(name).socketDir, join(dir, "next"));
  renameSync(join(dir, "next"), join(dir, "current"));
}

beforeAll(async () => {
  chmodSync(dir, 0o711);
  primary = await startCluster(paths("one"), OPTIONS);
  await ensureDatabase(primary, DATABASE);
  leadTo("one");
  const given = new URL(primary.url(DATABASE));
  given.searchParams.set("host", join(dir, "current"));
  url = given.href;
  pool = openPool(url, { size: LANES, prepare: false });
  await migrateWithRoles(pool);
  standby = await startStandby(primary, paths("one"), paths("two"), OPTIONS);
  processes = await openProcesses(dir, url);
  const settings = { DATABASE_URL: url, DATABASE_DIRECT_URL: url };
  [ending, asked] = await Promise.all([
    processes.start("ending", settings),
    processes.start("asked", settings),
  ]);
}, 120_000);
afterAll(async () => {
  processes?.stop();
  await pool?.close(0);
  await standby?.stop();
  await primary?.stop();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

/** Tries until the database is there. */
async function persistently<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      await Bun.sleep(50);
    }
  }
}

const listeners = () =>
  persistently(async () => [
    ...(await pool.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()`),
  ]);

const truncate = () => persistently(async () => void (await pool.sql`truncate live_processes`));

/** Withholds what PostgreSQL has for those who listen, for longer than a lease. */
async function withhold(meanwhile: () => Promise<void>) {
  const pids = (await listeners()).map(({ pid }) => pid);
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids)
      try {
        process.kill(pid, name);
      } catch {
        // It ended meanwhile.
      }
  };
  signal("SIGSTOP");
  try {
    await meanwhile();
    await Bun.sleep(1500);
  } finally {
    signal("SIGCONT");
  }
}

const disturbances: Record<string, () => Promise<void>> = {
  truncate,
  "withhold and truncate": () => withhold(truncate),
  crash: async () => {
    // A backend that is killed takes all others with it: PostgreSQL recovers, and empties unlogged
    // tables.
    const [{ pid }] = (await listeners()) as [{ pid: number }];
    process.kill(pid, "SIGKILL");
  },
  "stop the process that is asked": async () => {
    asked.child.kill("SIGSTOP");
    await Bun.sleep(Math.random() * 1500);
    asked.child.kill("SIGCONT");
  },
  "end the listeners": async () => {
    const pids = (await listeners()).map(({ pid }) => pid);
    await persistently(
      async () =>
        void (await pool.sql`select pg_terminate_backend(pid) from unnest(${pids}::int[]) as pid`),
    );
  },
};

/** The primary ends, having sent everything; the standby takes its place. */
async function promote() {
  await primary.stop();
  const db = openPool(standby.url(DATABASE), { size: 1, prepare: false });
  await db.sql`select pg_promote()`;
  await db.close(0);
  leadTo("two");
}

test(`while the list of processes vanishes by TRUNCATE, crashes and a promotion: 0 of ${REVOCATIONS} logins are accepted once ended`, async () => {
  const api = await apiOn(pool, { deps: { tokens: createTokens(testConfig(), processes.keys) } });
  const user = await makeUser(api);
  let [accepted, ended, disturbed] = [0, 0, 0];
  const durationsMs: number[] = [];
  const status = (server: ServingProcess, method: string, path: string, as: string) =>
    server.ask(method, `${P}${path}`, { as }).then(async (answer) => {
      await answer.text();
      return answer.status;
    });
  const lane = async () => {
    while (ended < REVOCATIONS) {
      const as = await persistently(() => signedIn(api, user));
      while ((await status(asked, "GET", "/me", as)) !== 200) await Bun.sleep(20);
      const late = status(asked, "GET", "/me", as);
      const startedMs = performance.now();
      if ((await status(ending, "POST", "/logout", as)) === 204) {
        durationsMs.push(performance.now() - startedMs);
        ended++;
        if ((await status(asked, "GET", "/me", as)) === 200) accepted++;
        await late;
        if ((await status(asked, "GET", "/me", as)) === 200) accepted++;
      }
      await late;
    }
  };
  const disturbing = async () => {
    const names = Object.keys(disturbances);
    while (ended < REVOCATIONS) {
      await Bun.sleep(20);
      if (ended < (disturbed + 1) * DISTURBED_EVERY) continue;
      if (disturbed === 12) await promote();
      else await disturbances[names[disturbed % names.length] as string]?.();
      disturbed++;
    }
  };
  await Promise.all([disturbing(), ...Array.from({ length: LANES }, lane)]);
  const sorted = durationsMs.sort((a, b) => a - b);
  const at = (share: number) =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] as number);
  console.log(
    `${ended} ended, ${accepted} accepted afterwards, ${disturbed} disturbances; half within ${at(0.5)} ms, 99 % within ${at(0.99)}, all within ${at(1)}`,
  );
  expect(accepted).toBe(0);
  expect(disturbed).toBeGreaterThanOrEqual(15);
}, 600_000);
