import type { Sql } from "postgres";
import { type DiskCounts, readSpindle } from "../disk/spindle.ts";
import { deviceOf, type MachineUsage, readMachine } from "./machine.ts";
import type { Metrics } from "./metrics-text.ts";
import { listProcesses } from "./process-tree.ts";
import { createProcessGroup, type ProcessUsage } from "./processes.ts";
import { PROBES_NAME, type Waits } from "./waits.ts";

/** The processes in a request's path, by the id of the first; their children count with them. */
export type ProbeTargets = {
  server: number;
  serverSocketPath: string;
  /** Not in the path by default. */
  proxy?: number;
  pooler?: number;
  postmaster: number;
  databaseUrl: string;
  dataDir: string;
  spindlePath: string;
};

/**
 * Usage up to a point in time, in ms from the start of the probes. Only differences between samples
 * are meaningful.
 */
export type Sample = {
  atMs: number;
  server: ProcessUsage;
  proxy: ProcessUsage | null;
  pooler: ProcessUsage | null;
  /** The backends of clients, and PostgreSQL's other processes, which no request waits for. */
  backends: ProcessUsage;
  background: ProcessUsage;
  disk: DiskCounts;
  machine: MachineUsage;
  waits: Waits;
  /**
   * The server's metrics (pool, event loop, garbage collection), read once a second; null if it
   * reports none.
   */
  metrics: Metrics | null;
};

/** Creates a sampler of the processes, the machine and the disk. */
export function createSampler(targets: ProbeTargets, sql: Sql) {
  const device = deviceOf(targets.dataDir);
  const groups = {
    server: createProcessGroup("threads"),
    proxy: createProcessGroup("process"),
    pooler: createProcessGroup("process"),
    backends: createProcessGroup("process"),
    background: createProcessGroup("process"),
  };
  const usageOfRole = (role: "proxy" | "pooler") => {
    const rootPid = targets[role];
    return rootPid === undefined ? null : groups[role](listProcesses(rootPid));
  };
  let startedMs = performance.now();
  return {
    restart: () => {
      startedMs = performance.now();
    },
    takeSample: async (waits: Waits, metrics: Metrics | null): Promise<Sample> => {
      const { backends, own } = await listBackends(sql);
      const others = listProcesses(targets.postmaster).filter(
        (pid) => !backends.includes(pid) && !own.includes(pid),
      );
      return {
        atMs: performance.now() - startedMs,
        server: groups.server([targets.server]),
        proxy: usageOfRole("proxy"),
        pooler: usageOfRole("pooler"),
        backends: groups.backends(backends),
        background: groups.background(others),
        disk: readSpindle(targets.spindlePath),
        machine: readMachine(device),
        waits,
        metrics,
      };
    },
  };
}

/** Backends of clients, and the sampler's own, which are not part of any request. */
async function listBackends(sql: Sql): Promise<{ backends: number[]; own: number[] }> {
  const rows = await sql<{ pid: number; own: boolean }[]>`
    select pid, application_name = ${PROBES_NAME} as own from pg_stat_get_activity(null)
    where backend_type = 'client backend'`;
  const pidsOf = (which: boolean) => rows.filter(({ own }) => own === which).map(({ pid }) => pid);
  return { backends: pidsOf(false), own: pidsOf(true) };
}
