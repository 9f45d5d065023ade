import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Cluster } from "#db/embedded-postgres.ts";
import { type Pooler, startPooler } from "#deploy/topology/pooler.ts";
import { type RunningProxy, startProxy } from "#deploy/topology/proxy.ts";
import { OperatorError } from "#lib/errors.ts";
import { pin } from "../hosts/pinning.ts";
import { listProcesses } from "../probes/process-tree.ts";

/** What production has in the request path besides the application and PostgreSQL. */
export const INTERMEDIARIES = ["proxy", "pooler"] as const;
export type Intermediary = (typeof INTERMEDIARIES)[number];

/**
 * Parses the value of `--through`, such as "proxy,pooler"; empty if undefined. Throws
 * OperatorError.
 */
export function parseThrough(option: unknown): Intermediary[] {
  const words = option === undefined ? [] : String(option).split(",");
  const wrong = words.filter(
    (word) => !INTERMEDIARIES.some((intermediary) => intermediary === word),
  );
  if (wrong.length > 0)
    throw new OperatorError(`--through takes some of ${INTERMEDIARIES.join(",")}, not ${wrong}`, 2);
  return INTERMEDIARIES.filter((intermediary) => words.includes(intermediary));
}

/**
 * Starts a pooler between the application and PostgreSQL, on the proxy's cores. Throws
 * OperatorError.
 */
export async function addPooler(cluster: Cluster, directory: string): Promise<Pooler> {
  const pooler = await startPooler({
    directory: join(directory, "pooler"),
    postgresSocketDir: join(directory, "postgres"),
    user: "irontrack",
    password: randomBytes(24).toString("base64url"),
    runAs: cluster.runAs,
  });
  pin([pooler.pid], "proxy");
  return pooler;
}

/** Settings that make the application use the pooler. */
export const pooledSettings = (cluster: Cluster, { canPrepare }: Pooler) => ({
  DATABASE_DIRECT_URL: cluster.url("irontrack"),
  DATABASE_PREPARE: String(canPrepare),
});

/**
 * Starts a proxy without rate limits in front of the application, on a Unix socket. Throws
 * OperatorError.
 */
export async function addProxy(
  socketPath: string,
  directory: string,
): Promise<RunningProxy & { unixSocket: string }> {
  const unixSocket = join(directory, "run/edge.sock");
  const proxy = await startProxy({
    directory: join(directory, "proxy"),
    workerSockets: [socketPath],
    listen: { unix: unixSocket },
    variant: "bench",
  });
  pin(listProcesses(proxy.pid), "proxy");
  return { ...proxy, unixSocket };
}
