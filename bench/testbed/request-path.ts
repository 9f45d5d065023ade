import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { findPooler, startPooler } from "#deploy/topology/pooler.ts";
import { findProgram, startProxy } from "#deploy/topology/proxy.ts";
import { startWorkers } from "#deploy/topology/workers.ts";
import type { Path } from "../compare/request-paths.ts";
import type { Target } from "../load/lanes.ts";
import { cpuNsByThread } from "../regressions/costs.ts";
import { listProcesses } from "./embedded-postgres.ts";
import type { World } from "./fixtures.ts";
import { startServer } from "./server-process.ts";
import { freePort, type Ground, settingsOf } from "./shared-postgres.ts";
import type { Stand } from "./testbed.ts";

/** Who has a part in a request. */
export const PIECES = ["proxy", "workers", "pooler", "postgres"] as const;
export type Piece = (typeof PIECES)[number];

/** A path with fresh processes on it, PostgreSQL's backends among them; its postmaster stays. */
export type OpenPath = {
  target: Target;
  workers: number;
  /** The people of the ground, as they reach its first worker. */
  worlds: World[];
  /** Nanoseconds on a CPU of each thread of each piece, since it began. */
  cpuNs(): Record<Piece, Map<string, number>>;
  close(): Promise<void>;
};

const DEBIANS = "pgbouncer";

/** Why a path cannot be had here; undefined when it can. */
export function missingFor({ proxy, pooler }: Path): string | undefined {
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
export async function openPath(ground: Ground, path: Path): Promise<OpenPath> {
  const { home } = ground;
  const stops: (() => Promise<unknown>)[] = [];
  const close = async () => {
    for (const stop of stops.splice(0).reverse()) await stop();
  };
  try {
    const pooler = path.pooler === "none" ? undefined : await startPoolerOf(ground, path);
    if (pooler) stops.push(pooler.stop);
    const direct = ground.url(path.database);
    const settings = {
      ...settingsOf(home, pooler?.url("irontrack") ?? direct),
      DATABASE_DIRECT_URL: direct,
      DATABASE_PREPARE: String(path.pooler !== "unprepared"),
    };
    const workers = await startWorkersOf(ground, path, settings);
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
    const stand = { server: { socketPath }, db: ground.db } as Stand;
    const overTcp = { hostname: "127.0.0.1", port: workers.port };
    return {
      target: path.client === "tcp" ? overTcp : { unix: proxy ? edge : socketPath },
      workers: path.workers,
      worlds: ground.worlds.map((world) => ({ ...world, stand })),
      cpuNs: () => ({
        proxy: cpuNsByThread(proxy ? listProcesses(proxy.pid) : []),
        workers: cpuNsByThread(workers.pids()),
        pooler: cpuNsByThread(pooler ? [pooler.pid] : []),
        postgres: cpuNsByThread(ground.postgres.pids()),
      }),
      close,
    };
  } catch (error) {
    await close();
    throw error;
  }
}

function startPoolerOf({ home, postgres }: Ground, { pooler, database }: Path) {
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
  { home }: Ground,
  path: Path,
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
