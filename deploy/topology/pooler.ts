import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { RunAs } from "#db/run-as.ts";
import { OperatorError } from "#lib/errors.ts";
import { type Program, startProgram } from "#lib/processes/programs.ts";

export type PoolerOptions = {
  /** For its socket, configuration and user list. Created if absent, accessible to its user only. */
  directory: string;
  /** The directory of PostgreSQL's socket. Clients may connect to each of its databases. */
  postgresSocketDir: string;
  /** The database user, and the password of clients. */
  user: string;
  password: string;
  runAs: RunAs;
  /** By default 5432. */
  postgresPort?: number;
  /** The port to listen on, with loopback TCP on both sides instead of sockets; for benches. */
  tcpPort?: number;
  /** Settings that override those of `pooling.ini`. */
  settings?: Record<string, string>;
  /** By default the one that `deploy/pgbouncer/build.sh` built, else the installed one. */
  program?: string;
  /** Aborting it ends the wait for the start. */
  signal?: AbortSignal;
};

export type Pooler = {
  pid: number;
  version: string;
  /** Whether it supports prepared statements in transaction mode (DATABASE_PREPARE). */
  canPrepare: boolean;
  socketPath: string;
  url(database: string): string;
  /** Resolves when it has exited, for any reason. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
};

const SOURCE = join(import.meta.dir, "../pgbouncer");
const BUILT = join(import.meta.dir, "../../dist/pgbouncer/pgbouncer");
const PORT = 6432;
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2000;

/**
 * Starts PgBouncer with the configuration in `deploy/pgbouncer/` and waits until it listens. Throws
 * OperatorError with its error output.
 */
export async function startPooler(options: PoolerOptions): Promise<Pooler> {
  const { directory, runAs, user, password, tcpPort } = options;
  const { path, version, canPrepare } = findPooler(options.program);
  const socketPath = join(directory, `.s.PGSQL.${tcpPort ?? PORT}`);
  mkdirSync(directory, { recursive: true });
  const files = {
    "pgbouncer.ini": render(options, canPrepare),
    "userlist.txt": `"${user}" "${password}"\n`,
  };
  for (const [name, text] of Object.entries(files))
    writeFileSync(join(directory, name), text, { mode: 0o600 });
  chmodSync(directory, 0o700);
  for (const file of [directory, ...Object.keys(files).map((name) => join(directory, name))])
    if (runAs.uid !== undefined && runAs.gid !== undefined) chownSync(file, runAs.uid, runAs.gid);
  rmSync(socketPath, { force: true });
  const program = startProgram([...runAs.prefix, path, "-q", join(directory, "pgbouncer.ini")], {
    cwd: "/",
    stdio: ["ignore", "ignore", "pipe"],
    // Lets running transactions finish. SIGTERM exits at once before 1.23, and since then waits for
    // every client to disconnect.
    stopSignals: ["SIGINT"],
    graceMs: STOP_TIMEOUT_MS,
  });
  let errors = "";
  program.child.stderr?.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-4000);
  });
  await untilListening(program, socketPath, () => errors, options.signal);
  return {
    pid: program.pid,
    version,
    canPrepare,
    socketPath,
    url: (database) =>
      tcpPort === undefined
        ? `postgres://${user}:${password}@localhost/${database}?host=${encodeURIComponent(directory)}&port=${PORT}`
        : `postgres://${user}:${password}@127.0.0.1:${tcpPort}/${database}`,
    ended: program.ended,
    stop: program.stop,
  };
}

/** Finds PgBouncer. Throws OperatorError that says how to install it. */
export function findPooler(program?: string): {
  path: string;
  version: string;
  canPrepare: boolean;
} {
  const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/usr/local/sbin`;
  const path = Bun.which(program ?? (existsSync(BUILT) ? BUILT : "pgbouncer"), { PATH });
  const output = path === null ? "" : spawnSync(path, ["--version"], { encoding: "utf8" }).stdout;
  const [, version, major, minor] = /PgBouncer ((\d+)\.(\d+)\S*)/.exec(output) ?? [];
  if (path === null || version === undefined)
    throw new OperatorError(
      "The pooler needs PgBouncer (apt-get install pgbouncer, or deploy/pgbouncer/build.sh)",
    );
  return { path, version, canPrepare: Number(major) > 1 || Number(minor) >= 21 };
}

function render(options: PoolerOptions, canPrepare: boolean): string {
  const { directory, postgresSocketDir, postgresPort = 5432, tcpPort, settings = {} } = options;
  const included = ["pooling.ini", ...(canPrepare ? ["prepared.ini"] : [])];
  const own = {
    unix_socket_dir: directory,
    unix_socket_mode: "0700",
    listen_port: tcpPort ?? PORT,
    ...(tcpPort === undefined ? {} : { listen_addr: "127.0.0.1" }),
    auth_file: join(directory, "userlist.txt"),
    logfile: "",
    pidfile: "",
    ...settings,
  };
  return [
    "[databases]",
    `* = host='${(tcpPort === undefined ? postgresSocketDir : "127.0.0.1").replaceAll("'", "''")}' port=${postgresPort}`,
    // Once only: a second section would reset every setting to its default.
    "[pgbouncer]",
    ...included.map((name) => `%include ${join(SOURCE, name)}`),
    ...Object.entries(own).map(([name, value]) => `${name} = ${value}`),
    "",
  ].join("\n");
}

async function untilListening(
  program: Program,
  path: string,
  errors: () => string,
  signal?: AbortSignal,
) {
  for (
    const deadline = performance.now() + START_TIMEOUT_MS;
    performance.now() < deadline;
    await Bun.sleep(5)
  ) {
    if (program.hasEnded() || signal?.aborted) break;
    if (await canConnect(path)) return;
  }
  await program.kill();
  throw new OperatorError(`PgBouncer does not start: ${errors().trim()}`);
}

const canConnect = (path: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
