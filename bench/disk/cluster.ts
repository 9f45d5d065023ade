import { chmodSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, startCluster } from "#db/embedded-postgres.ts";
import type { OpenedDisk } from "./profiles.ts";

/** Starts PostgreSQL with its data on `disk`, and its sockets and log under `directory`. */
export function startClusterOn(
  disk: OpenedDisk,
  directory: string,
  settings: Record<string, string>,
): Promise<Cluster> {
  // PostgreSQL does not run as root and must be able to enter the directory of its sockets.
  chmodSync(directory, 0o711);
  return startCluster(
    {
      dataDir: disk.dataDir,
      socketDir: join(directory, "postgres"),
      logFile: join(directory, "postgres.log"),
    },
    { environment: disk.environment, settings: { ...settings, ...disk.settings } },
  );
}

/** Settings that suppress PostgreSQL's background work. */
export const QUIET = {
  autovacuum: "off",
  checkpoint_timeout: "1h",
  max_wal_size: "16GB",
  wal_writer_delay: "10s",
  bgwriter_delay: "10s",
};
