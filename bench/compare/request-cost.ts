import { closedLoop } from "../load/closed-loop.ts";
import { postgresNs } from "../testbed/embedded-postgres.ts";
import type { ServerProcess } from "../testbed/server-process.ts";

/** CPU of the server and of PostgreSQL in µs per request, and requests per second. */
export type RequestCost = { cpuUs: number; perSecond: number };

export type RequestOptions = {
  paths: string[];
  /** Cookies of several users, each of whom requests every path; absent for anonymous requests. */
  cookies?: string[];
  headers: Record<string, string>;
  connections: number;
  warmUpMs: number;
  durationMs: number;
};

/**
 * Measures GET requests in a closed loop. `dir` is the home of PostgreSQL. Throws if an answer is a
 * failure.
 */
export async function measureRequestCost(
  dir: string,
  server: ServerProcess,
  requestOptions: RequestOptions,
): Promise<RequestCost> {
  const { paths, cookies = [], headers, connections, warmUpMs, durationMs } = requestOptions;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const users = cookies.length === 0 ? [""] : cookies.map((cookie) => `cookie: ${cookie}\r\n`);
  const requests = paths.flatMap((path) =>
    users.map((user) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${user}${lines.join("")}\r\n`),
  );
  await closedLoop(server.socketPath, requests, connections, warmUpMs);
  const before = server.cpuNs() + postgresNs(dir);
  const load = await closedLoop(server.socketPath, requests, connections, durationMs);
  if (load.failures > 0)
    throw new Error(`${load.failures} of ${load.requests} answers were failures`);
  return {
    cpuUs: (server.cpuNs() + postgresNs(dir) - before) / 1000 / load.requests,
    perSecond: (load.requests / load.elapsedMs) * 1000,
  };
}
