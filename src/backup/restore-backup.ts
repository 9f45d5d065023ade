import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { NEWEST_MIGRATION } from "#db/migrate.ts";
import { readServerVersion } from "#db/server-version.ts";
import { OperatorError } from "#lib/errors.ts";
import { isEmpty } from "./contents.queries.ts";
import { createDatabase, dropDatabase, findDatabase, renameDatabase } from "./databases.queries.ts";
import { DUMP_FILE, type Manifest, readManifest, requireUndamaged } from "./manifest.ts";
import { findPostgresTools, runTool, type ToolPaths } from "./postgres-tools.ts";
import { type Check, checkStructure, compareContents, compareSchema } from "./verify-restore.ts";

export type RestoreOptions = {
  /** The name for the restored database; if absent, it is dropped after the checks. */
  into?: string;
  /** Whether to check schema and structure too, and not only the contents of tables. */
  verify: boolean;
  /** Called before a database that has tables is renamed; throws to refuse. */
  onReplace: (question: string) => Promise<void>;
  onStep?: (step: string) => void;
  signal?: AbortSignal;
};

export type RestoredBackup = {
  manifest: Manifest;
  checks: Check[];
  /** The new name of the database that had the name `into` before. */
  keptAs?: string;
};

/**
 * Restores the backup in `dir` on the server of `url`: into a new database, which gets the name
 * `into` once every table matches the manifest. An existing database of that name is renamed.
 * Throws OperatorError if the backup is damaged, newer than this version, or restores to something
 * else; then nothing has changed.
 */
export async function restoreBackup(
  url: string,
  dir: string,
  paths: ToolPaths,
  { into, verify, onReplace, onStep = () => {}, signal }: RestoreOptions,
): Promise<RestoredBackup> {
  const manifest = readManifest(dir);
  refuseNewer(manifest);
  onStep("reading the backup");
  await requireUndamaged(dir, manifest);
  // A database cannot be renamed over a connection to it.
  const server = openPool(onDatabase(url, "postgres"), { size: 1, prepare: false });
  const scratch = `irontrack_restoring_${randomBytes(6).toString("hex")}`;
  try {
    const tools = findPostgresTools(paths, (await readServerVersion(server)).number);
    const target = into === undefined ? undefined : await findTarget(server, url, into, onReplace);
    await createDatabase(server, scratch, target?.owner);
    const [restored, dump] = [onDatabase(url, scratch), join(dir, DUMP_FILE)];
    onStep("restoring");
    const role = target?.owner === undefined ? [] : [`--role=${target.owner}`];
    const args = [
      "--exit-on-error",
      "--no-owner",
      "--no-privileges",
      ...role,
      `--dbname=${scratch}`,
      dump,
    ];
    await runTool(tools, "pg_restore", args, { url: restored, ...(signal ? { signal } : {}) });
    onStep("comparing");
    const checks = [await compareContents(restored, manifest.tables)];
    if (verify)
      checks.push(await compareSchema(restored, dump, tools), await checkStructure(restored));
    const wrong = checks.find(({ state }) => state === "wrong");
    if (wrong)
      throw new OperatorError(
        `The restored database differs from the backup (${wrong.what}): ${wrong.finding}`,
      );
    signal?.throwIfAborted();
    if (into === undefined) return { manifest, checks };
    const keptAs = await renameInto(server, scratch, into);
    return { manifest, checks, ...(keptAs === undefined ? {} : { keptAs }) };
  } finally {
    await dropDatabase(server, scratch);
    await server.close();
  }
}

function refuseNewer({ migration }: Manifest) {
  if (migration === null || migration <= NEWEST_MIGRATION) return;
  throw new OperatorError(
    `The backup has migration ${migration}, which this version does not know (its last is ${NEWEST_MIGRATION}): use a newer IronTrack`,
  );
}

/** The existing database of that name, if any. Calls `onReplace` if it has tables. */
async function findTarget(
  server: Pool,
  url: string,
  name: string,
  onReplace: RestoreOptions["onReplace"],
) {
  let target = await findDatabase(server, name);
  // The server may still list connections that their clients have just closed.
  for (let tries = 0; tries < 20 && target && target.connections > 0; tries++) {
    await Bun.sleep(50);
    target = await findDatabase(server, name);
  }
  if (!target) return undefined;
  if (target.connections > 0)
    throw new OperatorError(`${name} has ${target.connections} open connections: close them first`);
  const db = openPool(onDatabase(url, name), { size: 1, prepare: false });
  const empty = await isEmpty(db).finally(() => db.close());
  if (!empty) await onReplace(`${name} is not empty. Rename it and replace it by the backup?`);
  return target;
}

/** Renames the restored database to `name`, and an existing one to a name that is returned. */
async function renameInto(
  server: Pool,
  restored: string,
  name: string,
): Promise<string | undefined> {
  if (!(await findDatabase(server, name))) {
    await renameDatabase(server, restored, name);
    return undefined;
  }
  const keptAs = `${name}_before_${new Date().toISOString().slice(0, 19).replaceAll(/\D/g, "")}`;
  await renameDatabase(server, name, keptAs);
  try {
    await renameDatabase(server, restored, name);
  } catch (error) {
    await renameDatabase(server, keptAs, name);
    throw error;
  }
  return keptAs;
}

function onDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${encodeURIComponent(database)}`;
  return parsed.href;
}
