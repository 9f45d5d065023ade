import type { Sql } from "postgres";
import { type DiskCounts, readSpindle } from "../disk/spindle.ts";
import { deviceOf, type MachineUsage, readMachine } from "./machine.ts";
import type { Metrics } from "./metrics-text.ts";
import { listProcesses } from "./process-tree.ts";
import { createProcessGroup, type ProcessUsage } from "./processes.ts";
import { PROBES_NAME, type Waits } from "./waits.ts";

/** Who is on the way of a request: their first processes, whose children count with them. */
export type ProbeTargets = {
  server: number;
  serverSocketPath: string;
  /** Not in the path unless said. */
  proxy?: number;
  pooler?: number;
  postmaster: number;
  databaseUrl: string;
  dataDir: string;
  spindlePath: string;
};

/**
 * What had been used up by a moment, ms from the start of the probes. Differences between two
 * samples are what matters.
 */
export type Sample = {
  atMs: number;
  server: ProcessUsage;
  proxy: ProcessUsage | null;
  pooler: ProcessUsage | null;
  /**
   * The backends that work for clients, and all other processes of PostgreSQL, of which no request
   * waits.
   */
  backends: ProcessUsage;
  background: ProcessUsage;
  disk: DiskCounts;
  machine: MachineUsage;
  waits: Waits;
  /**
   * What the server says of itself (pool, event loop, garbage); null where it says nothing. Asked
   * once a second.
   */
  metrics: Metrics | null;
};

/** Takes samples of everything on a machine that can be read without asking anybody. */
export function createSampler(targets: ProbeTargets, sql: Sql) {
  const device = deviceOf(targets.dataDir);
  const groups = {
    server: createProcessGroup("threads"),
    proxy: createProcessGroup("process"),
    pooler: createProcessGroup("process"),
    backends: createProcessGroup("process"),
    background: createProcessGroup("process"),
  };
  const family = (role: "proxy" | "pooler") => {
    const first = targets[role];
    return first === undefined ? null : groups[role](listProcesses(first));
  };
  let startedMs = performance.now();
  return {
    restart: () => {
      startedMs = performance.now();
    },
    take: async (waits: Waits, metrics: Metrics | null): Promise<Sample> => {
      const { backends, own } = await listBackends(sql);
      const others = listProcesses(targets.postmaster).filter(
        (pid) => !backends.includes(pid) && !own.includes(pid),
      );
      return {
        atMs: performance.now() - startedMs,
        server: groups.server([targets.server]),
        proxy: family("proxy"),
        pooler: family("pooler"),
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

/** The processes that work for clients, and our own, which no request causes. */
async function listBackends(sql: Sql): Promise<{ backends: number[]; own: number[] }> {
  const rows = await sql<{ pid: number; own: boolean }[]>`
    select pid, application_name = ${PROBES_NAME} as own from pg_stat_get_activity(null)
    where backend_type = 'client backend'`;
  const pidsOf = (which: boolean) => rows.filter(({ own }) => own === which).map(({ pid }) => pid);
  return { backends: pidsOf(false), own: pidsOf(true) };
}
