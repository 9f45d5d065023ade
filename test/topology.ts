import { chmodSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { findPooler } from "#deploy/topology/pooler.ts";
import { findProgram } from "#deploy/topology/proxy.ts";
import { startTopology, type Topology } from "#deploy/topology/topology.ts";
import { openHome } from "#lib/home.ts";
import { openLog } from "#src/log/log.ts";
import { testConfig } from "./config.ts";
import { describeWithPrograms } from "./describe-with-programs.ts";

/** `describe` for tests that need the programs of the proxy and PgBouncer. */
export const describeTopology = (name: string, tests: () => void): void =>
  describeWithPrograms(
    name,
    () => {
      findProgram();
      findPooler();
    },
    tests,
  );

export type TestTopology = Topology & { unix: string; dir: string; close(): Promise<void> };

/**
 * Starts the whole topology of production with durable writes, in `dir` or a temporary directory.
 * The proxy listens on a Unix socket and has no limits.
 */
export async function openTopology({
  workers = 2,
  replicas = 0,
  settings = {},
  postgresSettings = {},
  dir: existingDir,
  workersLog,
}: {
  workers?: number;
  replicas?: number;
  settings?: Record<string, string>;
  postgresSettings?: Record<string, string>;
  dir?: string;
  workersLog?: string;
} = {}) {
  const dir = existingDir ?? mkdtempSync(join(tmpdir(), "irontrack-topology it's odd #-"));
  chmodSync(dir, 0o711);
  const unix = join(dir, "edge.sock");
  const topology = await startTopology({
    home: openHome(dir),
    workers,
    replicas,
    proxy: { listen: { unix }, variant: "bench" },
    pooler: true,
    settings: {
      HOST: "",
      LOG_LEVEL: "info",
      PASSWORD_MEMORY_KIB: "19456",
      PASSWORD_PASSES: "2",
      SIGN_UPS_PER_ADDRESS: "100000",
      ...settings,
    },
    postgresSettings: { shared_buffers: "128MB", ...postgresSettings },
    workersLog: workersLog ?? join(dir, "workers.log"),
    log: openLog(testConfig()).log,
  });
  return {
    ...topology,
    unix,
    dir,
    close: async () => {
      await topology.stop();
      if (existingDir === undefined) rmSync(dir, { recursive: true, force: true });
    },
  };
}
