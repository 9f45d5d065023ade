import {
  closeSync,
  existsSync,
  fsyncSync,
  mkdirSync,
  openSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from "node:fs";
import { join } from "node:path";
import { openPool } from "#db/client.ts";
import { readServerVersion } from "#db/server-version.ts";
import { OperatorError } from "#lib/errors.ts";
import { findLastMigration, lockBackups, readContents, takeSnapshot } from "./contents.queries.ts";
import { DUMP_FILE, MANIFEST_FILE, type Manifest, readManifest, sha256Of } from "./manifest.ts";
import { findPostgresTools, runTool, type ToolPaths } from "./postgres-tools.ts";

export type CreateOptions = {
  /** How many backups of this database to keep, including this one; default: all. */
  keep?: number;
  onStep?: (step: string, detail?: string) => void;
  signal?: AbortSignal;
};

export type CreatedBackup = { path: string; manifest: Manifest; removed: string[] };

/** The suffix of a backup that is being written or removed. */
const UNFINISHED = ".unfinished";

/**
 * Writes a backup of the database at `url` (without a pooler) into a new directory in `out`. Dump,
 * counts and hashes are of one snapshot. The directory gets its name once the backup is complete
 * and synced to disk. Removes unfinished backups of earlier runs. Throws OperatorError.
 */
export async function createBackup(
  url: string,
  out: string,
  paths: ToolPaths,
  { keep, onStep = () => {}, signal }: CreateOptions = {},
): Promise<CreatedBackup> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const server = await readServerVersion(db);
    const tools = findPostgresTools(paths, server.number);
    mkdirSync(out, { recursive: true, mode: 0o700 });
    const database = decodeURIComponent(new URL(url).pathname.slice(1));
    return await db.transaction(async (tx) => {
      const { snapshot, takenAt } = await takeSnapshot(tx);
      if (!(await lockBackups(tx)))
        throw new OperatorError(`Another backup of ${database} is running`);
      removeUnfinished(out, database);
      const path = join(out, `${database}-${takenAt.slice(0, 19).replaceAll(":", "-")}Z`);
      if (existsSync(path)) throw new OperatorError(`${path} exists already`);
      const unfinished = `${path}${UNFINISHED}`;
      mkdirSync(unfinished, { mode: 0o700 });
      try {
        onStep("dumping");
        const dump = join(unfinished, DUMP_FILE);
        writeFileSync(dump, "", { mode: 0o600 });
        const args = [
          "--format=custom",
          "--no-owner",
          "--no-privileges",
          `--snapshot=${snapshot}`,
          `--file=${dump}`,
        ];
        await runTool(tools, "pg_dump", args, { url, ...(signal ? { signal } : {}) });
        const tables = await readContents(tx, (table) => {
          signal?.throwIfAborted();
          onStep("counting", table);
        });
        const manifest: Manifest = {
          format: 1,
          database,
          takenAt,
          dumpBytes: Bun.file(dump).size,
          dumpSha256: await sha256Of(Bun.file(dump)),
          serverVersion: server.text,
          toolVersion: tools.version,
          migration: await findLastMigration(tx),
          tables,
        };
        writeFileSync(join(unfinished, MANIFEST_FILE), `${JSON.stringify(manifest, null, 2)}\n`, {
          mode: 0o600,
        });
        for (const file of [join(unfinished, MANIFEST_FILE), dump, unfinished]) sync(file);
        signal?.throwIfAborted();
        renameSync(unfinished, path);
        sync(out);
        return { path, manifest, removed: removeOlder(out, database, path, keep) };
      } finally {
        rmSync(unfinished, { recursive: true, force: true });
      }
    });
  } finally {
    await db.close();
  }
}

/** Removes the files of a killed process. Safe because the caller holds the lock on backups. */
function removeUnfinished(out: string, database: string) {
  const names = readdirSync(out).filter(
    (name) => name.startsWith(`${database}-`) && name.endsWith(UNFINISHED),
  );
  for (const name of names) rmSync(join(out, name), { recursive: true });
}

/** Removes all but the `keep` newest complete backups, and returns their paths, oldest first. */
function removeOlder(
  out: string,
  database: string,
  newest: string,
  keep: number | undefined,
): string[] {
  if (keep === undefined) return [];
  const older = readdirSync(out)
    .map((name) => join(out, name))
    .filter((path) => path !== newest && isBackupOf(path, database))
    .map((path) => ({ path, takenAt: Date.parse(readManifest(path).takenAt) }))
    .sort((a, b) => a.takenAt - b.takenAt);
  const surplus = older.slice(0, Math.max(0, older.length + 1 - keep)).map(({ path }) => path);
  for (const path of surplus) {
    // Renamed first, so that a partly removed backup does not look complete.
    renameSync(path, `${path}${UNFINISHED}`);
    rmSync(`${path}${UNFINISHED}`, { recursive: true });
  }
  return surplus;
}

function isBackupOf(path: string, database: string): boolean {
  if (path.endsWith(UNFINISHED) || !existsSync(join(path, MANIFEST_FILE))) return false;
  try {
    return readManifest(path).database === database;
  } catch {
    // A damaged backup stays, so that a person sees it.
    return false;
  }
}

function sync(path: string) {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
