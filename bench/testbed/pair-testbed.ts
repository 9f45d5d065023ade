import { spawnSync } from "node:child_process";
import { mkdirSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { type Cluster, ensureDatabase, startCluster } from "#db/embedded-postgres.ts";
import { OperatorError } from "#lib/errors.ts";
import { runProgram } from "#lib/processes/programs.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { QUIET } from "../disk/cluster.ts";
import { pin } from "../hosts/pinning.ts";
import { cpuNsByThread } from "../probes/cpu-time.ts";
import { listProcesses } from "../probes/process-tree.ts";
import { SETTINGS } from "./applications.ts";
import { type Checkout, countMigrations } from "./checkout.ts";
import { type Fixtures, makeFixtures } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import type { TestBed } from "./testbed.ts";

/** One of the two versions; `command` replaces the start command of production. */
export type Contender = { checkout: Checkout; command?: string[] };

/** A contender in one pair, with a fresh server process. */
export type Side = {
  server: { socketPath: string };
  fixtureSets: Fixtures[];
  /** CPU of the server and of its PostgreSQL backends, by thread, since their start. */
  cpuNs(): Promise<Map<string, number>>;
};

export type Pair = { before: Side; after: Side; close(): Promise<void> };

/**
 * One PostgreSQL with the same data for both contenders and any number of pairs. With
 * `restoresData`, which is needed after writes, a pair starts from the initial data.
 */
export type PairTestBed = {
  openPair(options: { isAfterFirst: boolean; restoresData: boolean }): Promise<Pair>;
  close(): Promise<void>;
};

/** Several sets of users, so that concurrent requests do not contend for the same rows. */
const FIXTURE_SETS = 4;

/**
 * Creates the data with the version that has the older schema and lets the other version migrate a
 * copy, so that both run on the same rows. Pairs work on copies of these databases. PostgreSQL does
 * not wait for the disk here: flushes are counted elsewhere, and their duration does not depend on
 * the code.
 */
export async function openPairTestBed(before: Contender, after: Contender): Promise<PairTestBed> {
  const directory = temporaryDirectory("ab");
  const cluster = await startCluster(
    {
      dataDir: join(directory, "data"),
      socketDir: join(directory, "pg"),
      logFile: join(directory, "postgres.log"),
    },
    { durable: false, settings: QUIET },
  );
  pin(listProcesses(cluster.pid() as number), "postgres");
  const unpinLoad = pinLoad();
  const admin = openPool(cluster.url("postgres"), { size: 2, prepare: false });
  const close = async () => {
    await admin.close();
    await cluster.stop();
    unpinLoad();
    rmSync(directory, { recursive: true, force: true });
  };
  try {
    const isAfterOlder = countMigrations(after.checkout) < countMigrations(before.checkout);
    const [older, newer] = isAfterOlder
      ? (["after", "before"] as const)
      : (["before", "after"] as const);
    const contenders = { before, after };
    const shared = { directory, cluster, admin };
    const fixtureSets = await makeData(shared, contenders[older], older);
    await copyDatabase(admin, `template_${older}`, `template_${newer}`);
    await prepare(shared, contenders[newer], `template_${newer}`);
    await settle(cluster, `template_${newer}`);
    for (const name of ["before", "after"] as const)
      await copyDatabase(admin, `template_${name}`, name);
    return { openPair: (options) => openPair(shared, contenders, fixtureSets, options), close };
  } catch (error) {
    await close();
    throw error;
  }
}

/** Pins this process, which generates the load. Returns a function that restores its affinity. */
function pinLoad(): () => void {
  const allowed =
    /^Cpus_allowed_list:\s*(\S+)/m.exec(readFileSync("/proc/self/status", "utf8"))?.[1] ?? "0";
  pin([process.pid], "load");
  return () => void spawnSync("taskset", ["-a", "-c", "-p", allowed, String(process.pid)]);
}

type SharedPostgres = { directory: string; cluster: Cluster; admin: Pool };
type Name = "before" | "after";

/** A migrated and seeded database with users who have trained. */
async function makeData(
  shared: SharedPostgres,
  contender: Contender,
  name: Name,
): Promise<Fixtures[]> {
  const template = `template_${name}`;
  await ensureDatabase(shared.cluster, template);
  await prepare(shared, contender, template);
  const testBed = await openSide(shared, contender, name, template);
  try {
    return await Promise.all(Array.from({ length: FIXTURE_SETS }, () => makeFixtures(testBed)));
  } finally {
    await testBed.close();
    await settle(shared.cluster, template);
  }
}

async function prepare(
  { directory, cluster }: SharedPostgres,
  { checkout }: Contender,
  database: string,
) {
  for (const command of ["migrate", "seed"]) {
    const env = { ...process.env, IRONTRACK_HOME: directory, DATABASE_URL: cluster.url(database) };
    const args = [join(checkout.root, checkout.program), command];
    const { code, stderr } = await runProgram([process.execPath, ...args], {
      cwd: checkout.root,
      env,
    });
    if (code !== 0)
      throw new OperatorError(`${command} of ${checkout.ref} failed: ${stderr.slice(-500)}`);
  }
}

/** Vacuums and analyses, so that the data looks as if it had existed for a while. */
async function settle(cluster: Cluster, database: string) {
  const db = openPool(cluster.url(database), { size: 1, prepare: false });
  await db.sql`vacuum (freeze, analyze)`;
  await db.sql`checkpoint`;
  await db.close();
}

async function copyDatabase(admin: Pool, from: string, to: string) {
  await admin.sql`drop database if exists ${admin.sql(to)} with (force)`;
  await admin.sql`create database ${admin.sql(to)} template ${admin.sql(from)}`;
}

async function openPair(
  shared: SharedPostgres,
  contenders: Record<Name, Contender>,
  fixtureSets: Fixtures[],
  { isAfterFirst, restoresData }: { isAfterFirst: boolean; restoresData: boolean },
): Promise<Pair> {
  const open = async (name: Name): Promise<[Name, TestBed]> => {
    if (restoresData) await copyDatabase(shared.admin, `template_${name}`, name);
    return [name, await openSide(shared, contenders[name], name, name)];
  };
  const names: Name[] = isAfterFirst ? ["after", "before"] : ["before", "after"];
  const opening = names.map(open);
  const outcomes = await Promise.allSettled(opening);
  if (outcomes.some(({ status }) => status === "rejected")) {
    for (const outcome of outcomes)
      if (outcome.status === "fulfilled") await outcome.value[1].close();
  }
  const testBeds = Object.fromEntries(await Promise.all(opening)) as Record<Name, TestBed>;
  const sideOf = (name: Name): Side => ({
    server: testBeds[name].server,
    fixtureSets: fixtureSets.map((fixtures) => ({ ...fixtures, testBed: testBeds[name] })),
    cpuNs: async () => {
      const backends = await shared.admin.sql<{ pid: number }[]>`
        select pid from pg_stat_activity where datname = ${name}`;
      return cpuNsByThread([testBeds[name].server.pid, ...backends.map(({ pid }) => pid)]);
    },
  });
  return {
    before: sideOf("before"),
    after: sideOf("after"),
    close: async () => void (await Promise.all([testBeds.before.close(), testBeds.after.close()])),
  };
}

/**
 * Starts a server on a database. Both sides share a home directory and thus the signing key, so a
 * login at one is valid at the other.
 */
async function openSide(
  shared: SharedPostgres,
  { checkout, command }: Contender,
  name: Name,
  database: string,
): Promise<TestBed> {
  const { directory, cluster } = shared;
  const socketPath = join(directory, name, "irontrack.sock");
  mkdirSync(join(directory, name), { recursive: true });
  const databaseUrl = cluster.url(database);
  const env = {
    ...SETTINGS,
    ACCESS_TOKEN_TTL_S: "3600",
    IRONTRACK_HOME: directory,
    SOCKET_PATH: socketPath,
    DATABASE_URL: databaseUrl,
  };
  const [script = "", ...args] = command ?? [checkout.program, "serve"];
  const server = await startServer([join(checkout.root, script), ...args], socketPath, env);
  const db = openPool(databaseUrl, { size: 1, prepare: false });
  const close = async () => {
    await db.close();
    await server.stop();
  };
  // Scenarios use only these members of a test bed; the others concern its disk.
  return { server, db, close } as TestBed;
}
