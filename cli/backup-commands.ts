import { existsSync } from "node:fs";
import type { CAC } from "cac";
import { postgresError } from "#lib/causes.ts";
import { printRows } from "#lib/command-line/output.ts";
import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { withDatabase } from "#src/app/database.ts";
import { createBackup } from "#src/backup/create-backup.ts";
import { restoreBackup } from "#src/backup/restore-backup.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { confirm } from "./prompt.ts";

type CreateFlags = { out?: string; keep?: number; json?: boolean };
type RestoreFlags = { into?: string; verify?: boolean; yes?: boolean; json?: boolean };

/** Commands on backups of the whole database, by PostgreSQL's own programs. */
export function registerBackupCommands(cli: CAC): void {
  cli
    .command(
      "backup:create",
      "Write a backup of the database into a new directory, by PostgreSQL's pg_dump",
    )
    .option("--out <dir>", "Where to put it (backups)")
    .option("--keep <n>", "Afterwards remove all but the n newest of this database there")
    .option("--json", "Print JSON")
    .action(create);
  cli
    .command(
      "backup:restore <backup>",
      "Restore a backup into a database, or only verify it (--verify)",
    )
    .option(
      "--into <database>",
      "The database to create; an existing one is kept under another name",
    )
    .option(
      "--verify",
      "Check contents, schema and structure; without --into, drop the restored database",
    )
    .option("--yes", "Do not ask before an existing database with tables is renamed")
    .option("--json", "Print JSON")
    .action((backup: string, flags: RestoreFlags) => restore(String(backup), flags));
}

async function create({ out = "backups", keep, json = false }: CreateFlags) {
  const { path, manifest, removed } = await withServer((url, places, on) =>
    createBackup(url, String(out), places, { ...on, ...(keep === undefined ? {} : { keep }) }),
  );
  const { tables, dumpBytes, takenAt, migration, serverVersion } = manifest;
  const rows = Object.values(tables).reduce((sum, table) => sum + table.rows, 0);
  const row = {
    backup: path,
    takenAt,
    rows,
    bytes: dumpBytes,
    migration,
    serverVersion,
    removed: removed.length,
  };
  printRows([row], { json });
}

async function restore(
  dir: string,
  { into, verify = false, yes = false, json = false }: RestoreFlags,
) {
  if (into === undefined && !verify)
    throw new OperatorError(
      "Give --into <database>, or --verify to check the backup and keep nothing",
      2,
    );
  if (into !== undefined && !/^\w[\w-]{0,39}$/.test(String(into)))
    throw new OperatorError("--into takes a name of at most 40 letters, digits, _ and -", 2);
  if (!existsSync(dir)) throw new OperatorError(`There is no backup ${dir}`, 2);
  const { checks, keptAs } = await withServer((url, places, { onStep, signal }, pause) =>
    restoreBackup(url, dir, places, {
      ...(into === undefined ? {} : { into: String(into) }),
      verify,
      onReplace: (question) => {
        pause();
        return confirm(question, { yes });
      },
      onStep,
      signal,
    }),
  );
  printRows(checks, { json });
  if (json) return;
  if (into !== undefined)
    console.log(
      `Restored into ${into}. A backup has no privileges: if the application has its own role, run irontrack database:role`,
    );
  if (keptAs)
    console.log(`The previous database is kept as ${keptAs}: drop it when you no longer need it`);
}

type On = { onStep: (step: string, detail?: string) => void; signal: AbortSignal };
type Places = { PG_BIN?: string | undefined; path: string };

/** Runs `work` on the configured server, shows its progress, and aborts it on SIGINT or SIGTERM. */
async function withServer<T>(
  work: (url: string, places: Places, on: On, pause: () => void) => Promise<T>,
): Promise<T> {
  const config = readConfig(process.env);
  const progress = createProgress();
  const interrupted = new AbortController();
  const interrupt = () => interrupted.abort(new OperatorError("Interrupted"));
  process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
  let last: string | undefined;
  const onStep: On["onStep"] = (step, detail) => {
    if (process.stderr.isTTY) progress.step(detail ? `${step} ${detail}` : step);
    else if (step !== last) progress.step(step);
    last = step;
  };
  const places = { PG_BIN: config.PG_BIN, path: process.env.PATH ?? "" };
  try {
    return await withUrl(config, (url) =>
      work(url, places, { onStep, signal: interrupted.signal }, progress.done),
    );
  } catch (error) {
    const failure = postgresError(error);
    if (failure) throw new OperatorError(`PostgreSQL says: ${failure.message} (${failure.code})`);
    const { code } = error as { code?: string };
    if (code)
      throw new OperatorError(
        `Cannot reach the database of DATABASE_URL, or write the backup: ${code}`,
      );
    throw error;
  } finally {
    progress.done();
  }
}

/** Calls `work` with the direct URL, whose database need not exist, or with the embedded one's. */
function withUrl<T>(config: Config, work: (url: string) => Promise<T>): Promise<T> {
  const url = config.DATABASE_DIRECT_URL ?? config.DATABASE_URL;
  if (url === undefined) return withDatabase(config, (_db, database) => work(database.direct));
  if (!URL.canParse(url))
    throw new OperatorError(
      "DATABASE_URL is not a URL like postgres://user:password@host/database",
    );
  return work(url);
}
