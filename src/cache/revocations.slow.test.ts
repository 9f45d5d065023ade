import { afterAll, beforeAll, expect, test } from "bun:test";
import { chmodSync, mkdtempSync, renameSync, rmSync, symlinkSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import {
  type Cluster,
  type ClusterPaths,
  ensureDatabase,
  startCluster,
} from "#db/embedded-postgres.ts";
import { isDatabaseUnavailable } from "#db/errors.ts";
import { startStandby } from "#db/standby.ts";
import { testConfig } from "#test/config.ts";
import { makeUser, signedIn } from "#test/fixtures.ts";
import { apiOn } from "#test/harness.ts";
import { migrateWithRoles } from "#test/own-database.ts";
import { ACCESS } from "#test/paths.ts";
import { openProcesses, type Processes, type ServingProcess } from "#test/processes.ts";
import { createTokens } from "../access/tokens.ts";

const REVOCATIONS = 2000;
const LANES = 8;
/** One disturbance for this many revoked logins. */
const REVOCATIONS_PER_DISTURBANCE = 80;
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
let revoking: ServingProcess;
let verifying: ServingProcess;

/** Points `current`, the path that everything connects to, at one of the clusters. */
function switchTo(name: string) {
  symlinkSync(paths(name).socketDir, join(dir, "next"));
  renameSync(join(dir, "next"), join(dir, "current"));
}

beforeAll(async () => {
  chmodSync(dir, 0o711);
  primary = await startCluster(paths("one"), OPTIONS);
  await ensureDatabase(primary, DATABASE);
  switchTo("one");
  const current = new URL(primary.url(DATABASE));
  current.searchParams.set("host", join(dir, "current"));
  url = current.href;
  pool = openPool(url, { size: LANES, prepare: false });
  await migrateWithRoles(pool);
  standby = await startStandby(primary, paths("one"), paths("two"), OPTIONS);
  processes = await openProcesses(dir, url);
  const settings = { DATABASE_URL: url, DATABASE_DIRECT_URL: url };
  [revoking, verifying] = await Promise.all([
    processes.start("revoking", settings),
    processes.start("verifying", settings),
  ]);
}, 120_000);
afterAll(async () => {
  processes?.stop();
  await pool?.close(0);
  await standby?.stop();
  await primary?.stop();
  rmSync(dir, { recursive: true, force: true });
}, 60_000);

/** Retries until the database is available. */
async function retrying<T>(work: () => Promise<T>): Promise<T> {
  for (;;) {
    try {
      return await work();
    } catch (error) {
      if (!isDatabaseUnavailable(error)) throw error;
      await Bun.sleep(50);
    }
  }
}

/** The process ids of the listening backends. */
const listListeners = () =>
  retrying(async () => {
    const rows = await pool.sql<{ pid: number }[]>`
      select pid from pg_stat_activity where query ilike 'listen%' and datname = current_database()`;
    return rows.map(({ pid }) => pid);
  });

const truncate = () => retrying(async () => void (await pool.sql`truncate live_processes`));

/** Delays all messages for longer than a lease lasts, by stopping the listening backends. */
async function withhold(work: () => Promise<void>) {
  const pids = await listListeners();
  const signal = (name: NodeJS.Signals) => {
    for (const pid of pids)
      try {
        process.kill(pid, name);
      } catch {
        // The backend has exited.
      }
  };
  signal("SIGSTOP");
  try {
    await work();
    await Bun.sleep(1500);
  } finally {
    signal("SIGCONT");
  }
}

const disturbances: Record<string, () => Promise<void>> = {
  truncate,
  "withhold and truncate": () => withhold(truncate),
  crash: async () => {
    // When a backend is killed, PostgreSQL restarts all of them, recovers, and empties unlogged
    // tables.
    const [pid] = (await listListeners()) as [number];
    process.kill(pid, "SIGKILL");
  },
  "stop the verifying process": async () => {
    verifying.child.kill("SIGSTOP");
    await Bun.sleep(Math.random() * 1500);
    verifying.child.kill("SIGCONT");
  },
  "close the listening connections": async () => {
    const pids = await listListeners();
    await retrying(
      async () =>
        void (await pool.sql`select pg_terminate_backend(pid) from unnest(${pids}::int[]) as pid`),
    );
  },
};

/** Stops the primary after it has sent everything, and promotes the standby. */
async function promote() {
  await primary.stop();
  const db = openPool(standby.url(DATABASE), { size: 1, prepare: false });
  await db.sql`select pg_promote()`;
  await db.close(0);
  switchTo("two");
}

test(`while TRUNCATE, crashes and a promotion empty the list of processes, 0 of ${REVOCATIONS} logins are accepted after their revocation`, async () => {
  const api = await apiOn(pool, { deps: { tokens: createTokens(testConfig(), processes.keys) } });
  const user = await makeUser(api);
  let [accepted, revoked, disturbed] = [0, 0, 0];
  const durationsMs: number[] = [];
  const status = (server: ServingProcess, method: string, path: string, as: string) =>
    server.ask(method, `${ACCESS}${path}`, { as }).then(async (answer) => {
      await answer.text();
      return answer.status;
    });
  const lane = async () => {
    while (revoked < REVOCATIONS) {
      const as = await retrying(() => signedIn(api, user));
      while ((await status(verifying, "GET", "/me", as)) !== 200) await Bun.sleep(20);
      const late = status(verifying, "GET", "/me", as);
      const startedMs = performance.now();
      if ((await status(revoking, "POST", "/logout", as)) === 204) {
        durationsMs.push(performance.now() - startedMs);
        revoked++;
        if ((await status(verifying, "GET", "/me", as)) === 200) accepted++;
        await late;
        if ((await status(verifying, "GET", "/me", as)) === 200) accepted++;
      }
      await late;
    }
  };
  const disturb = async () => {
    const names = Object.keys(disturbances);
    while (revoked < REVOCATIONS) {
      await Bun.sleep(20);
      if (revoked < (disturbed + 1) * REVOCATIONS_PER_DISTURBANCE) continue;
      if (disturbed === 12) await promote();
      else await disturbances[names[disturbed % names.length] as string]?.();
      disturbed++;
    }
  };
  await Promise.all([disturb(), ...Array.from({ length: LANES }, lane)]);
  const sorted = durationsMs.sort((a, b) => a - b);
  const quantile = (share: number) =>
    Math.round(sorted[Math.floor((sorted.length - 1) * share)] as number);
  console.log(
    `${revoked} revoked, ${accepted} accepted afterwards, ${disturbed} disturbances; half within ${quantile(0.5)} ms, 99 % within ${quantile(0.99)}, all within ${quantile(1)}`,
  );
  expect(accepted).toBe(0);
  expect(disturbed).toBeGreaterThanOrEqual(15);
}, 600_000);
