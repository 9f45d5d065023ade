import { randomBytes } from "node:crypto";
import { join } from "node:path";
import type { Cluster } from "#db/embedded.ts";
import { type Pooler, startPooler } from "#deploy/topology/pooler.ts";
import { type RunningProxy, startProxy } from "#deploy/topology/proxy.ts";
import { OperatorError } from "#lib/errors.ts";
import { pin } from "../hosts/pinning.ts";
import { listProcesses } from "../probes/process-tree.ts";

/** What production has in the path of a request beside the application and PostgreSQL. */
export const BETWEEN = ["proxy", "pooler"] as const;
export type Between = (typeof BETWEEN)[number];

/** Of "proxy,pooler"; empty of nothing. Throws OperatorError. */
export function readThrough(given: unknown): Between[] {
  const words = given === undefined ? [] : String(given).split(",");
  const wrong = words.filter((word) => !BETWEEN.some((one) => one === word));
  if (wrong.length > 0)
    throw new OperatorError(`--through takes some of ${BETWEEN.join(",")}, not ${wrong}`, 2);
  return BETWEEN.filter((one) => words.includes(one));
}

/**
 * Starts a pooler between a test bed's application and its PostgreSQL, on the cores of the proxy.
 * Throws OperatorError.
 */
export async function putPooler(cluster: Cluster, directory: string): Promise<Pooler> {
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

/** What the application is told so that it goes through the pooler. */
export const pooledSettings = (cluster: Cluster, { canPrepare }: Pooler) => ({
  DATABASE_DIRECT_URL: cluster.url("irontrack"),
  DATABASE_PREPARE: String(canPrepare),
});

/**
 * Starts a proxy without limits in front of a test bed's application, on a Unix socket. Throws
 * OperatorError.
 */
export async function putProxy(
  socketPath: string,
  directory: string,
): Promise<RunningProxy & { unixSocket: string }> {
  const unix = join(directory, "run/edge.sock");
  const proxy = await startProxy({
    ...{
      directory: join(directory, "proxy"),
      workerSockets: [socketPath],
      listen: { unix },
      variant: "bench",
    },
  });
  pin(listProcesses(proxy.pid), "proxy");
  return { ...proxy, unixSocket: unix };
}
