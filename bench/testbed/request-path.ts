import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { findPooler, startPooler } from "#deploy/topology/pooler.ts";
import { findProgram, startProxy } from "#deploy/topology/proxy.ts";
import { startWorkers } from "#deploy/topology/workers.ts";
import type { Target } from "../load/lanes.ts";
import { cpuNsByThread } from "../probes/cpu-time.ts";
import { listProcesses } from "../probes/process-tree.ts";
import type { Fixtures } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import { freePort, type SharedPostgres, settingsOf, type Transport } from "./shared-postgres.ts";
import type { TestBed } from "./testbed.ts";

/** What a request goes through on its way; what is not said is as in production. */
export type RequestPath = {
  /** From the client to the worker, or, where there is one, to the proxy. */
  client: Transport;
  /** From the proxy to the workers; none: there is no proxy. */
  proxy: Transport | "none";
  workers: 1 | 2;
  pooler: "none" | "unprepared" | "prepared";
  /** From the workers to PostgreSQL, or on both sides of the pooler. */
  database: Transport;
};

/** Who has a part in a request. */
export const COMPONENTS = ["proxy", "workers", "pooler", "postgres"] as const;
export type Component = (typeof COMPONENTS)[number];

/** A path with fresh processes on it, PostgreSQL's backends among them; its postmaster stays. */
export type RunningRequestPath = {
  target: Target;
  workers: number;
  /** The people of the ground, as they reach its first worker. */
  fixtureSets: Fixtures[];
  /** Nanoseconds on a CPU of each thread of each piece, since it began. */
  cpuNs(): Record<Component, Map<string, number>>;
  close(): Promise<void>;
};

const DEBIANS = "pgbouncer";

/** Why a path cannot be had here; undefined when it can. */
export function missingFor({ proxy, pooler }: RequestPath): string | undefined {
  try {
    if (proxy !== "none") findProgram();
    if (pooler === "unprepared") findPooler(DEBIANS);
    if (pooler === "prepared" && !findPooler().canPrepare)
      return "no PgBouncer from 1.21 on (deploy/pgbouncer/build.sh)";
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Starts what a path consists of, from the configuration files of production without limits, and
 * waits until it is ready.
 */
export async function startRequestPath(
  shared: SharedPostgres,
  path: RequestPath,
): Promise<RunningRequestPath> {
  const { home } = shared;
  const stops: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    const pooler = path.pooler === "none" ? undefined : await startPoolerOf(shared, path);
    if (pooler) stops.push(pooler.stop);
    const direct = shared.url(path.database);
    const settings = {
      ...settingsOf(home, pooler?.url("irontrack") ?? direct),
      DATABASE_DIRECT_URL: direct,
      DATABASE_PREPARE: String(path.pooler !== "unprepared"),
    };
    const workers = await startWorkersOf(shared, path, settings);
    stops.push(workers.stop);
    const edge = join(home.runDir, "edge.sock");
    const proxy =
      path.proxy === "none"
        ? undefined
        : await startProxy({
            directory: join(home.dir, "proxy"),
            workerSockets: path.proxy === "tcp" ? [`127.0.0.1:${workers.port}`] : workers.sockets,
            listen: { unix: edge },
            variant: "bench",
          });
    if (proxy) stops.push(proxy.stop);
    const [socketPath = ""] = workers.sockets;
    const testBed = { server: { socketPath }, db: shared.db } as TestBed;
    const overTcp = { hostname: "127.0.0.1", port: workers.port };
    return {
      target: path.client === "tcp" ? overTcp : { unix: proxy ? edge : socketPath },
      workers: path.workers,
      fixtureSets: shared.fixtureSets.map((fixtures) => ({ ...fixtures, testBed })),
      cpuNs: () => ({
        proxy: cpuNsByThread(proxy ? listProcesses(proxy.pid) : []),
        workers: cpuNsByThread(workers.pids()),
        pooler: cpuNsByThread(pooler ? [pooler.pid] : []),
        postgres: cpuNsByThread(shared.postgres.pids()),
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startPoolerOf({ home, postgres }: SharedPostgres, { pooler, database }: RequestPath) {
  return startPooler({
    directory: join(home.runDir, "pooler"),
    postgresSocketDir: postgres.socketDir,
    postgresPort: postgres.port,
    user: "irontrack",
    password: randomBytes(24).toString("base64url"),
    runAs: postgres.runAs,
    ...(database === "tcp" ? { tcpPort: freePort() } : {}),
    ...(pooler === "unprepared" ? { program: DEBIANS } : {}),
  });
}

type Running = { sockets: string[]; port: number; pids(): number[]; stop(): Promise<unknown> };

/**
 * A lone worker listens on TCP too, whoever asks it where. Nobody is pinned: two workers on one
 * core would be one.
 */
async function startWorkersOf(
  { home }: SharedPostgres,
  path: RequestPath,
  settings: Record<string, string>,
): Promise<Running> {
  if (path.workers > 1) {
    const options = { count: path.workers, runDir: home.runDir, settings, logFile: "/dev/null" };
    return { port: 0, ...(await startWorkers(options)) };
  }
  const socketPath = join(home.runDir, "irontrack.1.sock");
  const port = freePort();
  const where = { SOCKET_PATH: socketPath, HOST: "127.0.0.1", PORT: String(port) };
  const { pid, stop } = await startServer(
    ["cli/main.ts", "serve"],
    socketPath,
    { ...settings, ...where },
    { pins: [] },
  );
  return { sockets: [socketPath], port, pids: () => [pid], stop };
}
