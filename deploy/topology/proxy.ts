import { spawnSync } from "node:child_process";
import { cpSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { connect, type NetConnectOpts } from "node:net";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { type Program, startProgram } from "#lib/processes/programs.ts";
import { makeCertificate } from "./certificate.ts";
import { type Place, type ProxyProgram, type ProxyVariant, renderPlace } from "./proxy-config.ts";

export type ProxyOptions = {
  /** Its own: configuration, certificate, temporary files, access log. Made when absent. */
  directory: string;
  workerSockets: string[];
  /**
   * `port` and `tlsPort` on 127.0.0.1. Behind `unix`, X-Real-IP is believed: for benches and tests.
   */
  listen: { unix?: string; port?: number; tlsPort?: number };
  variant: ProxyVariant;
  /** Absent: Angie, or nginx where there is no Angie. */
  program?: ProxyProgram;
  /** Aborted, it is not waited for any longer. */
  signal?: AbortSignal;
};

export type RunningProxy = {
  program: ProxyProgram;
  pid: number;
  /**
   * Where it answers, for those it was told to listen on. TLS has a certificate of its own making,
   * for localhost.
   */
  urls: { plain?: string; tls?: string };
  unixSocket: string | undefined;
  certificateFile: string;
  /** JSON lines; each is there within a second. */
  accessLog: string;
  /** Resolves when it ended, asked or not. */
  ended: Promise<unknown>;
  /**
   * Takes the configuration anew, with other workers if given; no request is lost. Throws
   * OperatorError if it is wrong.
   */
  reload(workerSockets?: string[]): Promise<void>;
  /** Finishes what runs, for at most some seconds. */
  stop(): Promise<void>;
};

const SOURCE = join(import.meta.dir, "../../angie");
const START_TIMEOUT_MS = 10_000;
const STOP_TIMEOUT_MS = 5000;

/**
 * Starts the proxy on the configuration of `angie/` and waits until it listens. Throws
 * OperatorError with its own words.
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
  // A proxy that was killed leaves its sockets behind, and the next cannot bind them.
  for (const path of [listen.unix, join(directory, "status.sock")])
    if (path !== undefined) rmSync(path, { force: true });
  writeConfiguration(options.workerSockets);
  const flags = ["-p", directory, "-c", join(directory, "conf/angie.conf"), "-e", "stderr"];
  const running = startProgram([path, ...flags, "-g", "daemon off;"], {
    stdio: ["ignore", "ignore", "pipe"],
    stopSignals: ["SIGQUIT", "SIGTERM"],
    graceMs: STOP_TIMEOUT_MS,
  });
  let said = "";
  running.child.stderr?.on("data", (chunk) => {
    said = `${said}${chunk}`.slice(-4000);
  });
  await untilListening(running, targetsOf(listen), () => said, options.signal);
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
      // Those of before go on accepting for a moment after the new ones have started.
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

/**
 * Angie, or nginx, or just the wanted one. Throws OperatorError that names the packages when it is
 * not there.
 */
export function findProgram(wanted?: ProxyProgram): { program: ProxyProgram; path: string } {
  // Debian puts them into sbin, which is not on everyone's PATH.
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
    // Workers' sockets are their user's and group's; a development machine has no user of the
    // proxy's own in it.
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
    .filter((given) => given !== undefined)
    .map((given) => ({ host: "127.0.0.1", port: given })),
];

async function untilListening(
  running: Program,
  targets: NetConnectOpts[],
  said: () => string,
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
  throw new OperatorError(`The proxy does not start: ${said().trim()}`);
}

const canConnect = (target: NetConnectOpts) =>
  new Promise<boolean>((resolve) => {
    const socket = connect(target, () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });

/** Until it has processes that answer requests; at once where /proc is absent. */
async function untilAnswering(pid: number) {
  for (let tries = 0; tries < 100 && childrenOf(pid).length === 0; tries++) await Bun.sleep(10);
}

/** Its processes that answer requests; empty where /proc is absent. */
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
