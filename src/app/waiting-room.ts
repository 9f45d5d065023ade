import { randomUUID } from "node:crypto";
import { buildVersion } from "#lib/build-info.ts";
import type { Config } from "../config/config.ts";
import { problemOf, problemReply } from "../http/problems.ts";
import { admit, removeSocket, removeStaleSocket, serveAt } from "./server.ts";

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
  const servers = [
    serveAt(`${socketPath} (SOCKET_PATH)`, { unix: socketPath, fetch: answer, development: false }),
  ];
  const stop = async () => {
    await Promise.all(servers.map((server) => server.stop(true)));
    removeSocket(socketPath);
  };
  try {
    admit(socketPath, config);
    const { HOST: hostname, PORT: port } = config;
    if (hostname !== "")
      servers.push(
        serveAt(`${hostname}:${port} (HOST, PORT)`, {
          hostname,
          port,
          fetch: answer,
          development: false,
        }),
      );
  } catch (error) {
    await stop();
    throw error;
  }
  return { stop };
}

const UNAVAILABLE = problemOf(
  Object.assign(new Error("The database was not reached yet"), { code: "CONNECT_TIMEOUT" }),
);

function answer(request: Request): Response {
  const requestId = request.headers.get("x-request-id")?.slice(0, 128) || randomUUID();
  // A kept-alive connection would be cut when the application takes over.
  const headers = { connection: "close", "x-request-id": requestId, "cache-control": "no-store" };
  const { pathname } = new URL(request.url);
  if (pathname === "/ping" || pathname === "/health/live") return new Response("OK", { headers });
  if (pathname === "/health" || pathname === "/health/ready") {
    const version = buildVersion();
    const state = {
      database_status: "offline",
      cache_status: "offline",
      app: "IronTrack",
      version,
    };
    return Response.json(state, { status: 503, headers: { ...headers, "retry-after": "1" } });
  }
  const { status, body, headers: own } = problemReply(UNAVAILABLE, requestId);
  return new Response(body as string, { status, headers: { ...own, ...headers } });
}
