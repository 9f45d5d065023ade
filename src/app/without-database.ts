import { randomUUID } from "node:crypto";
import { Elysia } from "elysia";
import { buildVersion } from "#lib/build-info.ts";
import type { Config } from "../config/config.ts";
import { problemOf, problemReply } from "../http/problems.ts";
import { ELYSIA_OPTIONS } from "../operations/operations.ts";
import { listenAt, removeSocket, removeStaleSocket, restrictSocket } from "./server.ts";

/**
 * Listens in the application's place while the database is unavailable at the start: the process is
 * alive and not ready, and every other request gets 503 with Retry-After. Throws OperatorError if
 * the port or socket is taken.
 */
export async function listenWithoutDatabase(
  config: Config,
  socketPath: string,
): Promise<{ stop(): Promise<void> }> {
  await removeStaleSocket(socketPath);
  const app = createWaitingApp();
  const servers = [listenAt(`${socketPath} (SOCKET_PATH)`, app, { unix: socketPath })];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop(true)));
    removeSocket(socketPath);
  };
  try {
    restrictSocket(socketPath, config);
    const { HOST: hostname, PORT: port } = config;
    if (hostname !== "") {
      const address = { hostname, port };
      servers.push(listenAt(`${hostname}:${port} (HOST, PORT)`, createWaitingApp(), address));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

const UNAVAILABLE = problemOf(
  Object.assign(new Error("The database was not reached yet"), { code: "CONNECT_TIMEOUT" }),
);

const createWaitingApp = () =>
  new Elysia(ELYSIA_OPTIONS)
    .onError(({ request }) => {
      const headers = headersOf(request);
      const { status, body, headers: own } = problemReply(UNAVAILABLE, headers["x-request-id"]);
      return new Response(body as string, { status, headers: { ...own, ...headers } });
    })
    .get("/ping", alive)
    .get("/health/live", alive)
    .get("/health", notReady)
    .get("/health/ready", notReady);

function alive({ request }: { request: Request }): Response {
  return new Response("OK", { headers: headersOf(request) });
}

function notReady({ request }: { request: Request }): Response {
  const state = {
    database_status: "offline",
    cache_status: "offline",
    app: "IronTrack",
    version: buildVersion(),
  };
  const headers = { ...headersOf(request), "retry-after": "1" };
  return Response.json(state, { status: 503, headers });
}

/** A kept-alive connection would be cut when the application takes over, so each one is closed. */
const headersOf = (request: Request) => ({
  connection: "close",
  "x-request-id": request.headers.get("x-request-id")?.slice(0, 128) || randomUUID(),
  "cache-control": "no-store",
});
