import { join } from "node:path";
import type { Cluster, ClusterOptions, ClusterPaths } from "#db/embedded-postgres.ts";
import { startStandby } from "#db/standby.ts";
import type { Home } from "#lib/home.ts";

/**
 * Starts `count` replicas of a running PostgreSQL from a new copy of its data. The caller stops
 * them, also after a failure.
 */
export async function startReplicas(
  count: number,
  primary: { cluster: Cluster; paths: ClusterPaths },
  home: Home,
  options: ClusterOptions,
  onStarted: (replica: Cluster) => void,
): Promise<Cluster[]> {
  const replicas: Cluster[] = [];
  for (let number = 1; number <= count; number++) {
    const name = `replica${number}`;
    const paths = {
      dataDir: join(home.dir, name),
      socketDir: join(home.runDir, name),
      logFile: join(home.dir, `${name}.log`),
    };
    options.onStep?.(`copying PostgreSQL's data for replica ${number}`);
    const replica = await startStandby(primary.cluster, primary.paths, paths, options);
    replicas.push(replica);
    onStarted(replica);
  }
  return replicas;
}
