import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { findPooler, startPooler } from "#deploy/topology/pooler.ts";
import { findProgram, startProxy } from "#deploy/topology/proxy.ts";
import { startWorkers } from "#deploy/topology/workers.ts";
import type { Target } from "../load/connections.ts";
import { cpuNsByThread } from "../probes/cpu-time.ts";
import { listProcesses } from "../probes/process-tree.ts";
import type { Fixtures } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import { freePort, type SharedPostgres, settingsOf, type Transport } from "./shared-postgres.ts";
import type { TestBed } from "./testbed.ts";

/** The components that a request passes through. The rest is as in production. */
export type RequestPath = {
  /** From the client to the proxy, or to the worker if there is no proxy. */
  client: Transport;
  /** From the proxy to the workers; "none" if there is no proxy. */
  proxy: Transport | "none";
  workers: 1 | 2;
  pooler: "none" | "unprepared" | "prepared";
  /** From the workers to PostgreSQL, and on both sides of a pooler. */
  database: Transport;
};

/** The components that a request uses CPU of. */
export const COMPONENTS = ["proxy", "workers", "pooler", "postgres"] as const;
export type Component = (typeof COMPONENTS)[number];

/** A request path of new processes, including PostgreSQL's backends; only the postmaster stays. */
export type RunningRequestPath = {
  target: Target;
  workers: number;
  /** The shared fixtures, sent to the first worker of this path. */
  fixtureSets: Fixtures[];
  /** CPU time of each component by thread, in ns, since each thread started. */
  cpuNs(): Record<Component, Map<string, number>>;
  close(): Promise<void>;
};

const DISTRIBUTION_POOLER = "pgbouncer";

/** Why a path cannot be started on this machine; undefined if it can. */
export function missingFor({ proxy, pooler }: RequestPath): string | undefined {
  try {
    if (proxy !== "none") findProgram();
    if (pooler === "unprepared") findPooler(DISTRIBUTION_POOLER);
    if (pooler === "prepared" && !findPooler().canPrepare)
      return "no PgBouncer from 1.21 on (deploy/pgbouncer/build.sh)";
    return undefined;
  } catch (error) {
    return (error as Error).message;
  }
}

/**
 * Starts all components from the configuration files of production, without rate limits, and waits
 * until they are ready.
 */
export async function startRequestPath(
  shared: SharedPostgres,
  requestPath: RequestPath,
): Promise<RunningRequestPath> {
  const { home } = shared;
  const cleanUps: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of cleanUps.splice(0).reverse()) await stop();
  };
  try {
    const pooler =
      requestPath.pooler === "none" ? undefined : await startPoolerFor(shared, requestPath);
    if (pooler) cleanUps.push(pooler.stop);
    const direct = shared.url(requestPath.database);
    const settings = {
      ...settingsOf(home, pooler?.url("irontrack") ?? direct),
      DATABASE_DIRECT_URL: direct,
      DATABASE_PREPARE: String(requestPath.pooler !== "unprepared"),
    };
    const workers = await startWorkersFor(shared, requestPath, settings);
    cleanUps.push(workers.stop);
    const edge = join(home.runDir, "edge.sock");
    const proxy =
      requestPath.proxy === "none"
        ? undefined
        : await startProxy({
            directory: join(home.dir, "proxy"),
            workerSockets:
              requestPath.proxy === "tcp" ? [`127.0.0.1:${workers.port}`] : workers.sockets,
            listen: { unix: edge },
            variant: "bench",
          });
    if (proxy) cleanUps.push(proxy.stop);
    const [socketPath = ""] = workers.sockets;
    const testBed = { server: { socketPath }, db: shared.db } as TestBed;
    const overTcp = { hostname: "127.0.0.1", port: workers.port };
    return {
      target: requestPath.client === "tcp" ? overTcp : { unix: proxy ? edge : socketPath },
      workers: requestPath.workers,
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

function startPoolerFor({ home, postgres }: SharedPostgres, { pooler, database }: RequestPath) {
  return startPooler({
    directory: join(home.runDir, "pooler"),
    postgresSocketDir: postgres.socketDir,
    postgresPort: postgres.port,
    user: "irontrack",
    password: randomBytes(24).toString("base64url"),
    runAs: postgres.runAs,
    ...(database === "tcp" ? { tcpPort: freePort() } : {}),
    ...(pooler === "unprepared" ? { program: DISTRIBUTION_POOLER } : {}),
  });
}

type RunningWorkers = {
  sockets: string[];
  port: number;
  pids(): number[];
  stop(): Promise<unknown>;
};

/**
 * A single worker also listens on TCP. No worker is pinned: two on one core would be no faster than
 * one.
 */
async function startWorkersFor(
  { home }: SharedPostgres,
  requestPath: RequestPath,
  settings: Record<string, string>,
): Promise<RunningWorkers> {
  if (requestPath.workers > 1) {
    const options = {
      count: requestPath.workers,
      runDir: home.runDir,
      settings,
      logFile: "/dev/null",
    };
    return { port: 0, ...(await startWorkers(options)) };
  }
  const socketPath = join(home.runDir, "irontrack.1.sock");
  const port = freePort();
  const listen = { SOCKET_PATH: socketPath, HOST: "127.0.0.1", PORT: String(port) };
  const { pid, stop } = await startServer(
    ["cli/main.ts", "serve"],
    socketPath,
    { ...settings, ...listen },
    { pins: [] },
  );
  return { sockets: [socketPath], port, pids: () => [pid], stop };
}
