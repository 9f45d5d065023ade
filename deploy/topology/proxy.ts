import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { type Program, startProgram } from "#lib/processes/programs.ts";
import { makeCertificate } from "./certificate.ts";
import { type Place, type ProxyProgram, type ProxyVariant, renderPlace } from "./proxy-config.ts";

export type ProxyOptions = {
  /** For its configuration, certificate, temporary files and access log. Created if absent. */
  directory: string;
  workerSockets: string[];
  /** The ports are on 127.0.0.1. On `unix`, X-Real-IP is trusted, for benches and tests. */
  listen: { unix?: string; port?: number; tlsPort?: number };
  variant: ProxyVariant;
  /** By default Angie, else nginx. */
  program?: ProxyProgram;
  /** Aborting it ends the wait for the start. */
  signal?: AbortSignal;
};

export type RunningProxy = {
  program: ProxyProgram;
  pid: number;
  /** The URLs of the ports in `listen`. TLS has a self-signed certificate for localhost. */
  urls: { plain?: string; tls?: string };
  unixSocket: string | undefined;
  certificateFile: string;
  /** JSON lines, written within a second. */
  accessLog: string;
  /** Resolves when it has exited, for any reason. */
  ended: Promise<unknown>;
  /**
   * Reloads the configuration, with other workers if given. No request fails. Throws OperatorError
   * if it is invalid.
   */
  reload(workerSockets?: string[]): Promise<void>;
  /** Lets running requests finish for up to 5 s. */
  stop(): Promise<void>;
};

const SOURCE = join(import.meta.dir, "../../angie");
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5000;

/**
 * Starts the proxy with the configuration in `angie/` and waits until it listens. Throws
 * OperatorError with its error output.
 */
export async function startProxy(options: ProxyOptions): Promise<RunningProxy> {
  const { directory, listen } = options;
  const { program, path } = findProgram(options.program);
  mkdirSync(directory, { recursive: true });
  const certificate = listen.tlsPort === undefined ? undefined : makeCertificate(directory);
  const writeConfiguration = (workerSockets: string[]) => {
    const configuration = join(directory, "conf");
    cpSync(SOURCE, configuration, { recursive: true });
    const place = placeOf({ ...options, workerSockets }, program, certificate);
    for (const [name, text] of Object.entries(renderPlace(place)))
      writeFileSync(join(configuration, "place", name), text);
  };
  // A killed proxy leaves its sockets behind, and they could not be bound again.
  for (const path of [listen.unix, join(directory, "status.sock")])
    if (path !== undefined) rmSync(path, { force: true });
  writeConfiguration(options.workerSockets);
  const flags = ["-p", directory, "-c", join(directory, "conf/angie.conf"), "-e", "stderr"];
  const running = startProgram([path, ...flags, "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
    stopSignals: ["SIGQUIT", "SIGTERM"],
    graceMs: STOP_TIMEOUT_MS,
  });
  let errors = "";
  running.child.stderr?.on("data", (chunk) => {
    errors = `${errors}${chunk}`.slice(-4000);
  });
  await untilListening(running, targetsOf(listen), () => errors, options.signal);
  await untilAnswering(running.pid);
  return {
    program,
    pid: running.pid,
    urls: {
      ...(listen.port === undefined ? {} : { plain: `http://127.0.0.1:${listen.port}` }),
      ...(listen.tlsPort === undefined ? {} : { tls: `https://localhost:${listen.tlsPort}` }),
    },
    unixSocket: listen.unix,
    certificateFile: join(directory, "certificate.pem"),
    accessLog: join(directory, "access.log"),
    ended: running.ended,
    reload: async (workerSockets = options.workerSockets) => {
      writeConfiguration(workerSockets);
      const checked = spawnSync(path, [...flags, "-t", "-q"], { encoding: "utf8" });
      if (checked.status !== 0)
        throw new OperatorError(`${program} refuses its configuration: ${checked.stderr}`);
      const before = childrenOf(running.pid);
      running.child.kill("SIGHUP");
      // The old processes accept connections for a moment after the new ones have started.
      for (
        const deadline = performance.now() + START_TIMEOUT_MS;
        before.some(isAccepting);
        await Bun.sleep(10)
      )
        if (performance.now() > deadline)
          throw new OperatorError(`${program} does not take its new configuration`);
      await untilAnswering(running.pid);
    },
    stop: running.stop,
  };
}

/** Finds Angie, else nginx; or only `wanted`. Throws OperatorError that names the packages. */
export function findProgram(wanted?: ProxyProgram): { program: ProxyProgram; path: string } {
  // Debian installs them in sbin, which may not be on the PATH.
  const PATH = `${process.env.PATH ?? ""}:/usr/sbin:/usr/local/sbin`;
  for (const program of wanted ? [wanted] : (["angie", "nginx"] as const)) {
    const path = Bun.which(program, { PATH });
    if (path !== null) return { program, path };
  }
  throw new OperatorError(
    "The proxy needs Angie (package angie of angie.software) or nginx (apt-get install nginx)",
  );
}

function placeOf(
  { directory, workerSockets, listen, variant }: ProxyOptions,
  program: ProxyProgram,
  certificate: Place["certificate"] | undefined,
): Place {
  return {
    program,
    variant,
    workerSockets,
    directory,
    accessLog: join(directory, "access.log"),
    // Only the user and group of the workers may use their sockets, and a development machine has no
    // user for the proxy in that group.
    ...(process.getuid?.() === 0 ? { user: "root" } : {}),
    processCount: 2,
    listen: {
      ...(listen.unix === undefined ? {} : { unix: listen.unix }),
      ...(listen.port === undefined ? {} : { plain: [`127.0.0.1:${listen.port}`] }),
      ...(listen.tlsPort === undefined ? {} : { tls: [`127.0.0.1:${listen.tlsPort}`] }),
    },
    names: ["localhost"],
    certificate: certificate ?? { file: "", keyFile: "" },
  };
}

const targetsOf = ({ unix, port, tlsPort }: ProxyOptions["listen"]): NetConnectOpts[] => [
  ...(unix === undefined ? [] : [{ path: unix }]),
  ...[port, tlsPort]
    .filter((number) => number !== undefined)
    .map((number) => ({ host: "127.0.0.1", port: number })),
];

async function untilListening(
  running: Program,
  targets: NetConnectOpts[],
  errors: () => string,
  signal?: AbortSignal,
) {
  for (
    const deadline = performance.now() + START_TIMEOUT_MS;
    performance.now() < deadline;
    await Bun.sleep(10)
  ) {
    if (running.hasEnded() || signal?.aborted) break;
    if ((await Promise.all(targets.map(canConnect))).every(Boolean)) return;
  }
  await running.kill();
  throw new OperatorError(`The proxy does not start: ${errors().trim()}`);
}

const canConnect = (target: NetConnectOpts) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(target, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** Waits for its worker processes, for up to a second; without /proc always that long. */
async function untilAnswering(pid: number) {
  for (let tries = 0; tries < 100 && childrenOf(pid).length === 0; tries++) await Bun.sleep(10);
}

/** Its worker processes; empty without /proc. */
function childrenOf(pid: number): string[] {
  const children = readProc(`${pid}/task/${pid}/children`).trim();
  return children === "" ? [] : children.split(" ");
}

const isAccepting = (pid: string) => {
  const title = readProc(`${pid}/cmdline`);
  return title !== "" && !title.includes("shutting down");
};

function readProc(path: string): string {
  try {
    return readFileSync(`/proc/${path}`, "utf8");
  } catch {
    return "";
  }
}
