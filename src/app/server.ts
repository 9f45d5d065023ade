import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Server } from "bun";
import { OperatorError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";
import { createApp } from "./app.ts";
import { operatorSocketPath, serveOperators } from "./operator-socket.ts";
import type { Services } from "./services.ts";

export type Listening = {
  /** Where it answers, for people: a URL, and the Unix socket's path. */
  url: string | undefined;
  socketPath: string;
  /**
   * Removes the socket, answers on open connections for DRAIN_LINGER_S, asking them to close, then
   * stops accepting and lets running requests finish within DRAIN_TIMEOUT_S: a proxy with another
   * worker loses no request.
   */
  stop(): Promise<void>;
};

/** Longer than any keep-alive a proxy uses, so that the proxy and not we end an idle connection. */
const IDLE_TIMEOUT_S = 120;
/**
 * Bodies are refused at 1 MiB with a problem, files at 16; this is the backstop for lengths that
 * are not even read.
 */
const MAX_REQUEST_BODY_BYTES = 17 * 1_048_576;

/**
 * Serves the app on the Unix socket and, unless HOST is empty, on loopback TCP. Throws
 * OperatorError for a taken port or socket.
 */
export async function listen(
  config: Config,
  services: Services,
  socketPath: string,
): Promise<Listening> {
  // Known to be right before anybody can take us for ready.
  if (config.SOCKET_GROUP !== undefined) groupIdOf(config.SOCKET_GROUP);
  await removeStaleSocket(socketPath);
  const first = serveOn(services, { unix: socketPath }, `${socketPath} (SOCKET_PATH)`);
  const servers = [first];
  admit(socketPath, config);
  const operators = config.OPERATOR_SOCKET
    ? await openOperatorSocket(services, socketPath, config)
    : undefined;
  if (config.HOST !== "") {
    try {
      const place = `${config.HOST}:${config.PORT}`;
      servers.push(
        serveOn(services, { hostname: config.HOST, port: config.PORT }, `${place} (HOST, PORT)`),
      );
    } catch (error) {
      await first.stop(true);
      await operators?.stop(true);
      throw error;
    }
  }
  return {
    url: config.HOST === "" ? undefined : `http://${shownHost(config.HOST)}:${config.PORT}`,
    socketPath,
    stop: async () => {
      // Whoever connects now finds no socket, and has sent nothing yet: a proxy goes to the next
      // worker.
      removeSocket(socketPath);
      services.drain();
      for (const server of servers) server.askToClose();
      await Bun.sleep((config.DRAIN_LINGER_S ?? 0) * 1000);
      const finished = Promise.all(servers.map((server) => server.stop()));
      const timedOut = await Promise.race([
        finished.then(() => false),
        Bun.sleep(config.DRAIN_TIMEOUT_S * 1000).then(() => true),
      ]);
      if (timedOut) await Promise.all(servers.map((server) => server.stop(true)));
      // Until here operators see how far the drain has come.
      await operators?.stop(true);
    },
  };
}

/**
 * The host to print in a URL. Front ends are mostly developed on `localhost`, and a browser sends
 * the cookies only for pages of the same host name.
 */
function shownHost(host: string): string {
  if (host === "127.0.0.1") return "localhost";
  return host.includes(":") ? `[${host}]` : host;
}

/**
 * As reachable as the socket beside it, and for nobody but operators and monitoring
 * (docs/metrics.md).
 */
async function openOperatorSocket(services: Services, socketPath: string, config: Config) {
  const path = operatorSocketPath(socketPath);
  await removeStaleSocket(path);
  const server = serveOperators(path, createApp(services.deps), services.metricsText);
  admit(path, config);
  return {
    stop: async (now: boolean) => {
      await server.stop(now);
      removeSocket(path);
    },
  };
}

/** Restricts a socket to our user and SOCKET_GROUP. */
export function admit(path: string, { SOCKET_GROUP: group }: Config) {
  chmodSync(path, 0o660);
  if (group !== undefined) giveToGroup(path, groupIdOf(group));
}

type Serving = {
  /**
   * From now on every answer is our own, and says that the connection ends: a constant one cannot.
   */
  askToClose(): void;
  stop(now?: boolean): Promise<void>;
};

function serveOn(
  services: Services,
  where: { unix: string } | { hostname: string; port: number },
  place: string,
): Serving {
  let server: Server<undefined> | undefined;
  // Only a proxy reaches the Unix socket, so only there its word for the client's address is taken,
  // telling clients the request id is left to it, and so is the log of constant answers.
  const isProxied = "unix" in where;
  const addressOf = (request: Request) =>
    isProxied ? proxiedAddress(request) : (server?.requestIP(request)?.address ?? null);
  const app = createApp({ ...services.deps, addressOf, isProxied });
  const options = (routes: object) =>
    ({
      ...where,
      routes,
      fetch: app.fetch,
      idleTimeout: IDLE_TIMEOUT_S,
      maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
      development: false,
      // Without it, turning `development` off lets several processes share a port (Bun 1.4.5).
      reusePort: false,
    }) as unknown as Bun.Serve.Options<undefined>;
  const started = serveAt(
    place,
    options(isProxied ? { ...app.routes, ...app.constants } : app.routes),
  );
  server = started;
  return {
    askToClose: () => void started.reload(options(app.routes)),
    stop: (now) => started.stop(now),
  };
}

/** `Bun.serve`. Throws OperatorError that names the `place` if it is taken, or cannot be used. */
export function serveAt(place: string, options: Bun.Serve.Options<undefined>): Server<undefined> {
  try {
    return Bun.serve(options);
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "EADDRINUSE")
      throw new OperatorError(`${place} is already taken by another process`);
    if (code) throw new OperatorError(`Cannot listen on ${place}: ${code}`);
    throw error;
  }
}

const proxiedAddress = (request: Request) => request.headers.get("x-real-ip")?.slice(0, 64) || null;

/** The number of a group. Throws OperatorError when there is no such group. */
function groupIdOf(group: string): number {
  const line = readFileSync("/etc/group", "utf8")
    .split("\n")
    .find((entry) => entry.startsWith(`${group}:`));
  const id = Number(/^\d+$/.test(group) ? group : line?.split(":")[2]);
  if (!Number.isInteger(id)) throw new OperatorError(`There is no group ${group} (SOCKET_GROUP)`);
  return id;
}

/** Lets a group use the socket. Throws OperatorError when it is not ours to give to. */
function giveToGroup(path: string, id: number) {
  try {
    chownSync(path, -1, id);
  } catch (error) {
    throw new OperatorError(
      `Cannot give ${path} to group ${id} (SOCKET_GROUP): ${(error as { code?: string }).code}`,
    );
  }
}

/**
 * Removes a socket that nothing answers on. Throws OperatorError for one that answers, and for what
 * is no socket.
 */
export async function removeStaleSocket(path: string) {
  const found = whatIsAt(path);
  if (found === "nothing") return;
  if (found === "other")
    throw new OperatorError(`${path} (SOCKET_PATH) is in the way: it is not a socket`);
  const answered = await new Promise<boolean>((resolve) => {
    const socket = connect(path);
    socket.once("connect", () => {
      socket.destroy();
      resolve(true);
    });
    socket.once("error", () => resolve(false));
  });
  if (answered)
    throw new OperatorError(`${path} (SOCKET_PATH) is already taken by another process`);
  rmSync(path, { force: true });
}

/** Removes a socket of ours; what has been put in its place is left alone. */
export function removeSocket(path: string) {
  if (whatIsAt(path) === "socket") rmSync(path, { force: true });
}

/** "nothing" also where listening will fail, and say why. */
function whatIsAt(path: string): "socket" | "other" | "nothing" {
  try {
    return lstatSync(path).isSocket() ? "socket" : "other";
  } catch {
    return "nothing";
  }
}
