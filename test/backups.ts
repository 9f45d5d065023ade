import { spawn } from "node:child_process";
import { cpSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { seedCatalog } from "#seeds/catalog.ts";
import { seedDemo } from "#seeds/demo.ts";
import { readCatalog } from "#seeds/read-catalog.ts";
import { createBackup } from "#src/backup/create-backup.ts";
import { MANIFEST_FILE, type Manifest, readManifest } from "#src/backup/manifest.ts";
import { type RestoreOptions, restoreBackup } from "#src/backup/restore-backup.ts";
import { makeOwnDatabase } from "./own-database.ts";
import { testTools } from "./postgres-tools.ts";
import { program } from "./program.ts";
import { directTestUrl, testPool } from "./transaction.ts";

/** A seeded database, a backup of it, and what tests of backups need; `close` drops everything. */
export async function openBackups() {
  const dir = mkdtempSync(join(tmpdir(), "irontrack-backup-"));
  const database = await makeOwnDatabase();
  await seedCatalog(database.pool, readCatalog());
  await seedDemo(database.pool, { athletes: 2, years: 1, seed: 1, fast: false, dryRun: false });
  /** Without a pooler, whose connections would stay open. */
  const directUrl = directTestUrl(database.url);
  const paths = { PG_BIN: testTools().dir, path: "" };
  const backup = await createBackup(directUrl, join(dir, "backups"), paths);
  const names: string[] = [];
  const owners: string[] = [];
  const { sql } = testPool();
  return {
    dir,
    database,
    directUrl,
    paths,
    backup,
    /** The URL of another database on the same server. */
    urlOf: (name: string): string => {
      const url = new URL(directUrl);
      url.pathname = `/${name}`;
      return url.href;
    },
    /** A new name for a database, which `close` drops if it exists; `name` for an existing one. */
    databaseName: (name = `restored_${crypto.randomUUID().slice(0, 8)}`): string => {
      names.push(name);
      return name;
    },
    createOwner: async (name: string) => {
      await sql`create role ${sql(name)}`;
      owners.push(name);
    },
    restore: (path: string, options: Partial<RestoreOptions> = {}) =>
      restoreBackup(directUrl, path, paths, {
        verify: true,
        onReplace: async () => {},
        ...options,
      }),
    /** A copy of the backup with another manifest. */
    copyWith: (name: string, change: Partial<Manifest>): string => {
      const path = join(dir, "copies", name);
      cpSync(backup.path, path, { recursive: true });
      const manifest = { ...readManifest(path), ...change };
      writeFileSync(join(path, MANIFEST_FILE), JSON.stringify(manifest));
      return path;
    },
    /** Runs the command without a terminal; `child` is for signals. */
    irontrack: (args: string[], env: Record<string, string> = {}) => {
      const [command, ...before] = program();
      const child = spawn(command, [...before, ...args], {
        stdio: ["ignore", "pipe", "pipe"],
        env: {
          PATH: "/usr/bin:/bin",
          IRONTRACK_HOME: dir,
          DATABASE_URL: directUrl,
          PG_BIN: paths.PG_BIN,
          ...env,
        },
      });
      let output = "";
      for (const stream of [child.stdout, child.stderr])
        stream.on("data", (chunk) => (output += chunk));
      const ended = new Promise<{ code: number | null; output: string }>((resolve) =>
        child.once("close", (code) => resolve({ code, output })),
      );
      return { child, ended };
    },
    close: async () => {
      for (const name of names) await sql`drop database if exists ${sql(name)} with (force)`;
      for (const name of owners) await sql`drop role ${sql(name)}`;
      await database.drop();
      rmSync(dir, { recursive: true, force: true });
    },
  };
}
