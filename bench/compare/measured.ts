import { closedLoop } from "../load/closed-loop.ts";
import { postgresNs } from "../testbed/embedded-postgres.ts";
import type { ServerProcess } from "../testbed/server-process.ts";

/** CPU of the server and of PostgreSQL in µs per request, and requests per second. */
export type Measured = { cpuUs: number; perSecond: number };

export type RequestOptions = {
  paths: string[];
  /** Of several people, each of whom asks for every path; absent: nobody's. */
  cookies?: string[];
  headers: Record<string, string>;
  connections: number;
  warmUpMs: number;
  durationMs: number;
};

/**
 * What requests cost that are sent as fast as they are answered. `dir` is where PostgreSQL lives.
 * Throws for a failed answer.
 */
export async function measure(
  dir: string,
  server: ServerProcess,
  requestOptions: RequestOptions,
): Promise<Measured> {
  const { paths, cookies = [], headers, connections, warmUpMs, durationMs } = requestOptions;
  const lines = Object.entries(headers).map(([name, value]) => `${name}: ${value}\r\n`);
  const people = cookies.length === 0 ? [""] : cookies.map((cookie) => `cookie: ${cookie}\r\n`);
  const requests = paths.flatMap((path) =>
    people.map((who) => `GET ${path} HTTP/1.1\r\nHost: localhost\r\n${who}${lines.join("")}\r\n`),
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
