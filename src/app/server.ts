import { chmodSync, chownSync, lstatSync, readFileSync, rmSync } from "node:fs";
import { connect } from "node:net";
import type { Server } from "bun";
import type { AnyElysia } from "elysia";
import { OperatorError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";
import { createApp } from "./app.ts";
import { createOperatorApp, operatorSocketPath } from "./operator-socket.ts";
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
  restrictSocket(socketPath, config);
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
      // A proxy that connects now finds no socket and tries the next worker; it has sent nothing.
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

/** Serves operators and monitoring on a socket with the permissions of the main one. */
async function openOperatorSocket(services: Services, socketPath: string, config: Config) {
  const path = operatorSocketPath(socketPath);
  await removeStaleSocket(path);
  const app = createOperatorApp(services.deps, services.metricsText);
  const server = listenAt(path, app, { unix: path });
  restrictSocket(path, config);
  return {
    stop: async (now: boolean) => {
      await server.stop(now);
      removeSocket(path);
    },
  };
}

/** Restricts a socket to our user and SOCKET_GROUP. */
export function restrictSocket(path: string, { SOCKET_GROUP: group }: Config) {
  chmodSync(path, 0o660);
  if (group !== undefined) giveToGroup(path, groupIdOf(group));
}

type Address = { unix: string } | { hostname: string; port: number };

type Serving = {
  /** From now on every response asks the client to close its connection. */
  askToClose(): void;
  stop(now?: boolean): Promise<void>;
};

function serveOn(services: Services, address: Address, name: string): Serving {
  // Only a proxy reaches the Unix socket, so only there are the client's address and the request id
  // taken from its headers, and the log of static responses is left to it.
  const isProxied = "unix" in address;
  const addressOf = (request: Request) =>
    isProxied ? proxiedAddress(request) : (app.server?.requestIP(request)?.address ?? null);
  const deps = { ...services.deps, addressOf, isProxied };
  const app = createApp(deps);
  const server = listenAt(name, app, address);
  return {
    // A draining application has no static responses, which could not ask to close.
    askToClose: () =>
      void server.reload({ ...LISTEN_OPTIONS, routes: {}, fetch: createApp(deps).fetch } as never),
    stop: (now) => server.stop(now),
  };
}

const LISTEN_OPTIONS = {
  idleTimeout: IDLE_TIMEOUT_S,
  maxRequestBodySize: MAX_REQUEST_BODY_BYTES,
  development: false,
  // Elysia lets several processes share a port unless told otherwise.
  reusePort: false,
};

/** Listens with an Elysia application. Throws OperatorError that names `name` if it cannot. */
export function listenAt(name: string, app: AnyElysia, address: Address): Server<undefined> {
  try {
    return app.listen({ ...LISTEN_OPTIONS, ...address } as never)
      .server as unknown as Server<undefined>;
  } catch (error) {
    const code = (error as { code?: string }).code;
    if (code === "EADDRINUSE")
      throw new OperatorError(`${name} is already taken by another process`);
    if (code) throw new OperatorError(`Cannot listen on ${name}: ${code}`);
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
