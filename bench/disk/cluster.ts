import { chmodSync } from "node:fs";
import { join } from "node:path";
import { type Cluster, startCluster } from "#db/embedded.ts";
import type { OpenedDisk } from "./profiles.ts";

/** Starts PostgreSQL with its data on a disk, its sockets and its log under `directory`. */
export function startClusterOn(
  disk: OpenedDisk,
  directory: string,
  settings: Record<string, string>,
): Promise<Cluster> {
  // PostgreSQL, which is not root, may look elsewhere for its data, and passes here to its sockets
  // all the same.
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

/** PostgreSQL does nothing on its own account. */
export const QUIET = {
  autovacuum: "off",
  checkpoint_timeout: "1h",
  max_wal_size: "16GB",
  wal_writer_delay: "10s",
  bgwriter_delay: "10s",
};
