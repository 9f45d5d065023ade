import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { startCluster } from "#db/embedded-postgres.ts";
import { migrate } from "#db/migrate.ts";
import type { RunAs } from "#db/run-as.ts";
import { CONFIGURATION, SMALL } from "#deploy/topology/postgres-settings.ts";
import { type Home, openHome } from "#lib/home.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { seedCatalog } from "#seeds/catalog.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { QUIET } from "../disk/cluster.ts";
import { listProcesses } from "../probes/process-tree.ts";
import { SETTINGS } from "./applications.ts";
import { serverVersion } from "./embedded-postgres.ts";
import { type Fixtures, makeFixtureSets } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import type { TestBed } from "./testbed.ts";

/** How two processes on one machine are connected. */
export type Transport = "unix" | "tcp";

/**
 * The PostgreSQL behind all request paths, configured as in production, with athletes who have
 * trained.
 */
export type SharedPostgres = {
  home: Home;
  db: Pool;
  version: string;
  fixtureSets: Fixtures[];
  /** The database's URL, not through a pooler. */
  url(transport: Transport): string;
  postgres: { port: number; socketDir: string; runAs: RunAs; pids(): number[] };
  close(): Promise<void>;
};

export const ATHLETES = 8;

/**
 * Creates and fills a database on this machine's own disk. PostgreSQL listens on its Unix socket
 * and on a free port of loopback TCP.
 */
export async function openSharedPostgres(): Promise<SharedPostgres> {
  const home = openHome(temporaryDirectory("paths"));
  const cleanUps: (() => unknown)[] = [() => rmSync(home.dir, { recursive: true, force: true })];
  const close = async () => {
    for (const cleanUp of cleanUps.splice(0).reverse()) await cleanUp();
  };
  try {
    const socketDir = join(home.runDir, "postgres");
    mkdirSync(home.runDir, { recursive: true });
    const port = freePort();
    const settings = { ...SMALL, ...QUIET, listen_addresses: "127.0.0.1", port: String(port) };
    const cluster = await startCluster(
      { dataDir: home.dataDir, socketDir, logFile: home.postgresLog },
      { configFile: CONFIGURATION, settings },
    );
    cleanUps.push(cluster.stop);
    const url = (transport: Transport, database = "irontrack") =>
      transport === "tcp"
        ? `postgres://irontrack@127.0.0.1:${port}/${database}`
        : `${cluster.url(database)}&port=${port}`;
    const admin = openPool(url("unix", "postgres"), { size: 1, prepare: false });
    await admin.sql`create database irontrack`;
    await admin.close();
    const db = openPool(url("unix"), { size: 1, prepare: false });
    cleanUps.push(() => db.close());
    await migrate(db);
    await seedCatalog(db, readCatalog());
    const fixtureSets = await makeAthletes(home, url("unix"), db);
    await db.sql`vacuum (freeze, analyze)`;
    await db.sql`checkpoint`;
    const pids = () => listProcesses(cluster.pid() as number);
    const postgres = { port, socketDir, runAs: cluster.runAs, pids };
    return { home, db, version: await serverVersion(db), fixtureSets, url, postgres, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * Settings of every worker. All share one signing key, so that a login at one is valid at the
 * others.
 */
export const settingsOf = ({ dir }: Home, url: string) => ({
  ...SETTINGS,
  ACCESS_TOKEN_TTL_S: "3600",
  DRAIN_LINGER_S: "0",
  IRONTRACK_HOME: dir,
  DATABASE_URL: url,
});

async function makeAthletes(home: Home, url: string, db: Pool): Promise<Fixtures[]> {
  const socketPath = join(home.runDir, "people.sock");
  const settings = { ...settingsOf(home, url), SOCKET_PATH: socketPath };
  const server = await startServer(["cli/main.ts", "serve"], socketPath, settings, { pins: [] });
  try {
    // The fixtures need no other part of a test bed.
    return await makeFixtureSets({ server, db } as TestBed, ATHLETES);
  } finally {
    await server.stop();
  }
}

/** A loopback port that was free a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
