import { spawnSync } from "node:child_process";
import { chmodSync, chownSync, existsSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { connect } from "node:net";
import { join } from "node:path";
import type { RunAs } from "#db/run-as.ts";
import { OperatorError } from "#lib/errors.ts";
import { type Program, startProgram } from "#lib/processes/programs.ts";

export type PoolerOptions = {
  /** Its own: socket, configuration, list of users. Made when absent, and then only its user's. */
  directory: string;
  /** Where PostgreSQL's socket is. Every database there can be asked for. */
  postgresSocketDir: string;
  /** The user of the database, and the password that clients give. */
  user: string;
  password: string;
  runAs: RunAs;
  /** Of PostgreSQL, when it is not the usual one. */
  postgresPort?: number;
  /**
   * For comparison: loopback TCP on both sides, in place of sockets; this is the port to listen on.
   */
  tcpPort?: number;
  /** Beyond `pooling.ini`, by name. */
  settings?: Record<string, string>;
  /** Absent: the one that `deploy/pgbouncer/build.sh` made, or the system's. */
  program?: string;
  /** Aborted, it is not waited for any longer. */
  signal?: AbortSignal;
};

export type Pooler = {
  pid: number;
  version: string;
  /** Whether it follows prepared statements from one connection to another (DATABASE_PREPARE). */
  canPrepare: boolean;
  socketPath: string;
  url(database: string): string;
  /** Resolves when it ended, asked or not. */
  ended: Promise<unknown>;
  stop(): Promise<void>;
};

const SOURCE = join(import.meta.dir, "../pgbouncer");
const BUILT = join(import.meta.dir, "../../dist/pgbouncer/pgbouncer");
const PORT = 6432;
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 2000;

/**
 * Starts PgBouncer on the configuration of `pgbouncer/` and waits until it listens. Throws
 * OperatorError with its own words.
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
    // Running transactions are finished. SIGTERM is at once in old ones, and since 1.23 waits until
    // every client has left.
    stopSignals: ["SIGINT"],
    graceMs: STOP_TIMEOUT_MS,
  });
  let said = "";
  program.child.stderr?.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  await untilListening(program, socketPath, () => said, options.signal);
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

/** The PgBouncer there is. Throws OperatorError that says how to come by one. */
export function findPooler(program?: string): {
  path: string;
  version: string;
  canPrepare: boolean;
} {
  const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/usr/local/sbin`;
  const path = Bun.which(program ?? (existsSync(BUILT) ? BUILT : "pgbouncer"), { PATH });
  const shown = path === null ? "" : spawnSync(path, ["--version"], { encoding: "utf8" }).stdout;
  const [, version, major, minor] = /PgBouncer ((\d+)\.(\d+)\S*)/.exec(shown) ?? [];
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
    // Once: a second one would put everything back to its default.
    "[pgbouncer]",
    ...included.map((name) => `%include ${join(SOURCE, name)}`),
    ...Object.entries(own).map(([name, value]) => `${name} = ${value}`),
    "",
  ].join("\n");
}

async function untilListening(
  program: Program,
  path: string,
  said: () => string,
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
  throw new OperatorError(`PgBouncer does not start: ${said().trim()}`);
}

const canConnect = (path: string) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(path, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
