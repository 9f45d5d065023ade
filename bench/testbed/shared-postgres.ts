import { mkdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { startCluster } from "#db/embedded.ts";
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
import { type Fixtures, makeFixtureSets } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import type { TestBed } from "./testbed.ts";

/** How two processes of one machine talk to each other. */
export type Transport = "unix" | "tcp";

/** What all paths lead to: one PostgreSQL as in production, with people who have trained. */
export type SharedPostgres = {
  home: Home;
  db: Pool;
  version: string;
  fixtureSets: Fixtures[];
  /** Of the database, past any pooler. */
  url(transport: Transport): string;
  postgres: { port: number; socketDir: string; runAs: RunAs; pids(): number[] };
  close(): Promise<void>;
};

export const PEOPLE = 8;

/**
 * Fills a database on this machine's own disk. PostgreSQL listens on its socket and on loopback
 * TCP, at a free port.
 */
export async function openSharedPostgres(): Promise<SharedPostgres> {
  const home = openHome(temporaryDirectory("paths"));
  const undo: (() => unknown)[] = [() => rmSync(home.dir, { recursive: true, force: true })];
  const close = async () => {
    for (const one of undo.splice(0).reverse()) await one();
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
    undo.push(cluster.stop);
    const url = (transport: Transport, database = "irontrack") =>
      transport === "tcp"
        ? `postgres://irontrack@127.0.0.1:${port}/${database}`
        : `${cluster.url(database)}&port=${port}`;
    const admin = openPool(url("unix", "postgres"), { size: 1, prepare: false });
    await admin.sql`create database irontrack`;
    await admin.close();
    const db = openPool(url("unix"), { size: 1, prepare: false });
    undo.push(() => db.close());
    await migrate(db);
    await seedCatalog(db, readCatalog());
    const [row] = await db.sql<
      { version: string }[]
    >`select current_setting('server_version') as version`;
    const fixtureSets = await makePeople(home, url("unix"), db);
    await db.sql`vacuum (freeze, analyze)`;
    await db.sql`checkpoint`;
    const pids = () => listProcesses(cluster.pid() as number);
    const postgres = { port, socketDir, runAs: cluster.runAs, pids };
    return { home, db, version: row?.version ?? "?", fixtureSets, url, postgres, close };
  } catch (error) {
    await close();
    throw error;
  }
}

/**
 * What every worker of a path is told; all have one key, so that whoever signed in once is known to
 * each.
 */
export const settingsOf = ({ dir }: Home, url: string) => ({
  ...SETTINGS,
  ACCESS_TOKEN_TTL_S: "3600",
  DRAIN_LINGER_S: "0",
  IRONTRACK_HOME: dir,
  DATABASE_URL: url,
});

async function makePeople(home: Home, url: string, db: Pool): Promise<Fixtures[]> {
  const socketPath = join(home.runDir, "people.sock");
  const settings = { ...settingsOf(home, url), SOCKET_PATH: socketPath };
  const server = await startServer(["cli/main.ts", "serve"], socketPath, settings, { pins: [] });
  try {
    // All that people are made with; the rest of a test bed is about its disk.
    return await makeFixtureSets({ server, db } as TestBed, PEOPLE);
  } finally {
    await server.stop();
  }
}

/** A port of loopback that nobody had a moment ago. */
export function freePort(): number {
  const listener = Bun.listen({ hostname: "127.0.0.1", port: 0, socket: { data() {} } });
  const { port } = listener;
  listener.stop(true);
  return port;
}
