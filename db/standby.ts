import {
  chownSync,
  readdirSync,
  renameSync,
  rmdirSync,
  rmSync,
  statSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { runProgram } from "#lib/processes/programs.ts";
import { type Db, openPool } from "./client.ts";
import {
  type Cluster,
  type ClusterOptions,
  type ClusterPaths,
  startCluster,
} from "./embedded-postgres.ts";
import { ClusterError, refuseForeignData, stopLeftover } from "./postmaster.ts";
import { makeStagingDirectory } from "./staging-directory.ts";

/**
 * Starts a hot standby of a running embedded cluster on the same machine. Replaces the data at
 * `paths` with a base backup by PostgreSQL's low-level API, because the embedded distribution does
 * not include pg_basebackup.
 */
export async function startStandby(
  primary: Cluster,
  from: ClusterPaths,
  paths: ClusterPaths,
  options: ClusterOptions = {},
): Promise<Cluster> {
  const db = openPool(primary.url("postgres"), { size: 1, prepare: false });
  try {
    refuseForeignData(paths.dataDir);
    await stopLeftover(paths.dataDir);
    rmSync(paths.dataDir, { recursive: true, force: true });
    await copyData(db, from.dataDir, paths.dataDir);
  } finally {
    await db.close();
  }
  return resumeStandby(from, paths, options);
}

/** Starts an existing standby, which continues where it stopped. */
export async function resumeStandby(
  from: ClusterPaths,
  paths: ClusterPaths,
  options: ClusterOptions = {},
): Promise<Cluster> {
  if (from.socketDir.includes(","))
    throw new ClusterError(
      `a standby cannot find its primary at ${from.socketDir}: a comma separates hosts`,
    );
  const host = from.socketDir.replace(/['\\]/g, "\\$&");
  const settings = { primary_conninfo: `host='${host}' user=irontrack`, ...options.settings };
  return startCluster(paths, { ...options, settings });
}

/**
 * Copies into a staging directory, so that an interrupted copy does not obstruct the next one. The
 * pool of `db` must have a single connection, because a backup belongs to its session.
 */
async function copyData({ sql }: Db, from: string, destination: string) {
  const staging = await makeStagingDirectory(destination);
  const to = join(staging, "data");
  await sql`select pg_backup_start('standby', true)`;
  const copied = await runProgram(["cp", "--archive", from, to]);
  if (copied.code !== 0)
    throw new ClusterError(`the primary's data could not be copied: ${copied.stderr}`);
  const [{ labelfile }] =
    (await sql`select labelfile from pg_backup_stop(wait_for_archive => false)`) as unknown as [
      { labelfile: string },
    ];
  // The files of the running server, and its WAL, which the standby streams.
  for (const name of ["postmaster.pid", "postmaster.opts"]) rmSync(join(to, name), { force: true });
  const wal = join(to, "pg_wal");
  for (const segment of readdirSync(wal).filter((name) => /^[0-9A-F]{24}/.test(name)))
    rmSync(join(wal, segment));
  const { uid, gid } = statSync(from);
  for (const [name, text] of [
    ["backup_label", labelfile],
    ["standby.signal", ""],
  ] as const) {
    writeFileSync(join(to, name), text);
    chownSync(join(to, name), uid, gid);
  }
  renameSync(to, destination);
  rmdirSync(staging);
}
