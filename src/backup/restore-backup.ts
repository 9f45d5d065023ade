import { randomBytes } from "node:crypto";
import { join } from "node:path";
import { openPool, type Pool } from "#db/client.ts";
import { NEWEST_MIGRATION } from "#db/migrate.ts";
import { readServerVersion } from "#db/server-version.ts";
import { OperatorError } from "#lib/errors.ts";
import { type Check, checkStructure, compareContents, compareSchema } from "./compare.ts";
import { isEmpty } from "./contents.queries.ts";
import { createDatabase, dropDatabase, findDatabase, renameDatabase } from "./databases.queries.ts";
import { DUMP_FILE, type Manifest, readManifest, requireUndamaged } from "./manifest.ts";
import { findPostgresTools, runTool, type ToolPlaces } from "./postgres-tools.ts";

export type RestoreOptions = {
  /** The database that the backup becomes; when absent it is restored, checked and dropped. */
  into?: string;
  /** Checks schema and structure too, and not only each table's contents. */
  verify: boolean;
  /** Asked before a database that has tables is put aside; throws to refuse. */
  onReplace: (question: string) => Promise<void>;
  onStep?: (step: string) => void;
  signal?: AbortSignal;
};

export type Restored = {
  manifest: Manifest;
  checks: Check[];
  /** What the database that had the name before is called now. */
  putAside?: string;
};

/**
 * Restores the backup in `dir` on the server of `url`: into a new database, which gets its name
 * when every table's rows are what was backed up. What had the name before is kept under another
 * one. Throws OperatorError for a backup that is damaged, newer than this version, or does not come
 * out as it went in; then nothing has changed.
 */
export async function restoreBackup(
  url: string,
  dir: string,
  places: ToolPlaces,
  { into, verify, onReplace, onStep = () => {}, signal }: RestoreOptions,
): Promise<Restored> {
  const manifest = readManifest(dir);
  refuseNewer(manifest);
  onStep("reading the backup");
  await requireUndamaged(dir, manifest);
  // No database can be renamed from within itself.
  const server = openPool(onDatabase(url, "postgres"), { size: 1, prepare: false });
  const scratch = `irontrack_restoring_${randomBytes(6).toString("hex")}`;
  try {
    const tools = findPostgresTools(places, (await readServerVersion(server)).number);
    const target = into === undefined ? undefined : await lookAt(server, url, into, onReplace);
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
        `The backup does not come out as it went in (${wrong.what}): ${wrong.finding}`,
      );
    signal?.throwIfAborted();
    if (into === undefined) return { manifest, checks };
    const putAside = await putInPlace(server, scratch, into);
    return { manifest, checks, ...(putAside === undefined ? {} : { putAside }) };
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

/** The database that is there by that name; asks before one that has tables is put aside. */
async function lookAt(
  server: Pool,
  url: string,
  name: string,
  onReplace: RestoreOptions["onReplace"],
) {
  let found = await findDatabase(server, name);
  // Who has just closed a connection may be told of it before the server has let go.
  for (let tries = 0; tries < 20 && found && found.connections > 0; tries++) {
    await Bun.sleep(50);
    found = await findDatabase(server, name);
  }
  if (!found) return undefined;
  if (found.connections > 0)
    throw new OperatorError(
      `${found.connections} are connected to ${name}: stop what uses it first`,
    );
  const db = openPool(onDatabase(url, name), { size: 1, prepare: false });
  const empty = await isEmpty(db).finally(() => db.close());
  if (!empty) await onReplace(`Put ${name}, which is not empty, aside for the backup?`);
  return found;
}

/** Gives the restored database its name, and what had it before another; gives that one. */
async function putInPlace(
  server: Pool,
  restored: string,
  name: string,
): Promise<string | undefined> {
  if (!(await findDatabase(server, name))) {
    await renameDatabase(server, restored, name);
    return undefined;
  }
  const aside = `${name}_before_${new Date().toISOString().slice(0, 19).replaceAll(/\D/g, "")}`;
  await renameDatabase(server, name, aside);
  try {
    await renameDatabase(server, restored, name);
  } catch (error) {
    await renameDatabase(server, aside, name);
    throw error;
  }
  return aside;
}

function onDatabase(url: string, database: string): string {
  const parsed = new URL(url);
  parsed.pathname = `/${encodeURIComponent(database)}`;
  return parsed.href;
}
