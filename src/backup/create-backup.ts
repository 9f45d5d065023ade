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
import { findPostgresTools, runTool, type ToolPlaces } from "./postgres-tools.ts";

export type CreateOptions = {
  /**
   * How many backups of this database stay in the directory, this one among them; all when absent.
   */
  keep?: number;
  onStep?: (step: string, detail?: string) => void;
  signal?: AbortSignal;
};

export type Created = { path: string; manifest: Manifest; removed: string[] };

/** What a name ends with that is no whole backup: one that is being written, or being removed. */
const UNFINISHED = ".unfinished";

/**
 * Writes a backup of the database of `url` (no pooler between) into a new directory of `out`. Dump,
 * counts and hashes are of one moment, however much is written meanwhile. It gets its name when it
 * is whole and on the disk; what an earlier one left unfinished is removed. Throws OperatorError.
 */
export async function createBackup(
  url: string,
  out: string,
  places: ToolPlaces,
  { keep, onStep = () => {}, signal }: CreateOptions = {},
): Promise<Created> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const server = await readServerVersion(db);
    const tools = findPostgresTools(places, server.number);
    mkdirSync(out, { recursive: true, mode: 0o700 });
    const database = decodeURIComponent(new URL(url).pathname.slice(1));
    return await db.transaction(async (tx) => {
      const { snapshot, takenAt } = await takeSnapshot(tx);
      if (!(await lockBackups(tx)))
        throw new OperatorError(`Another backup of ${database} is being made`);
      removeUnfinished(out, database);
      const path = join(out, `${database}-${takenAt.slice(0, 19).replaceAll(":", "-")}Z`);
      if (existsSync(path)) throw new OperatorError(`${path} is there already`);
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
        for (const written of [join(unfinished, MANIFEST_FILE), dump, unfinished]) sync(written);
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

/** What a killed process left: with the lock held, nobody is writing it any more. */
function removeUnfinished(out: string, database: string) {
  const left = readdirSync(out).filter(
    (name) => name.startsWith(`${database}-`) && name.endsWith(UNFINISHED),
  );
  for (const name of left) rmSync(join(out, name), { recursive: true });
}

/**
 * Removes all but the `keep` newest whole backups of `database`, and gives their paths, oldest
 * first.
 */
function removeOlder(
  out: string,
  database: string,
  newest: string,
  keep: number | undefined,
): string[] {
  if (keep === undefined) return [];
  const whole = readdirSync(out)
    .map((name) => join(out, name))
    .filter((path) => path !== newest && isBackupOf(path, database))
    .map((path) => ({ path, takenAt: Date.parse(readManifest(path).takenAt) }))
    .sort((one, other) => one.takenAt - other.takenAt);
  const surplus = whole.slice(0, Math.max(0, whole.length + 1 - keep)).map(({ path }) => path);
  for (const path of surplus) {
    // Renamed first: removed half, it must not look whole.
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
    // Damaged: a person should see it, so it stays.
    return false;
  }
}

function sync(path: string) {
  const file = openSync(path, "r");
  fsyncSync(file);
  closeSync(file);
}
