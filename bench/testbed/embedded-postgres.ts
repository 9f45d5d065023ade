import { readFileSync } from "node:fs";
import { join } from "node:path";
import type { Db } from "#db/client.ts";
import { pin } from "../hosts/pinning.ts";
import { cpuNsOf } from "../probes/cpu-time.ts";
import { listProcesses } from "../probes/process-tree.ts";

export const socketDir = (dir: string) => join(dir, "run/postgres");
export const databaseUrl = (dir: string) =>
  `postgres://irontrack@localhost/irontrack?host=${encodeURIComponent(socketDir(dir))}`;

/**
 * CPU time of all processes of the embedded PostgreSQL under `dir`, in ns; 0 if it is not running.
 */
export function postgresNs(dir: string): number {
  return listUnder(dir).reduce((sum, pid) => sum + cpuNsOf(pid), 0);
}

/** Moves PostgreSQL from the cores of the pinned server that started it to its own. */
export function pinPostgres(dir: string): void {
  pin(listUnder(dir), "postgres");
}

function listUnder(dir: string): number[] {
  const postmaster = readPostmasterId(join(dir, "postgres/postmaster.pid"));
  return postmaster === undefined ? [] : listProcesses(postmaster);
}

function readPostmasterId(file: string): number | undefined {
  try {
    return Number(readFileSync(file, "utf8").split("\n")[0]);
  } catch {
    return undefined;
  }
}

/** The version of a PostgreSQL server, such as 18.4. */
export async function serverVersion({ sql }: Pick<Db, "sql">): Promise<string> {
  const [row] = await sql<{ server_version: string }[]>`show server_version`;
  return row?.server_version ?? "?";
}
