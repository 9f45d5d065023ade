import { accessSync, constants, statfsSync } from "node:fs";
import { createServer } from "node:net";
import { openPool } from "#db/client.ts";
import { migrationStates } from "#db/migrate.ts";
import { OLDEST_SERVER } from "#db/server-version.ts";
import { type Home, openHome } from "#lib/home.ts";
import { withDatabase } from "#src/app/database.ts";
import { findPostgresTools } from "#src/backup/postgres-tools.ts";
import { type Config, readConfig } from "#src/config/config.ts";
import { packageManager } from "../package.json" with { type: "json" };

export type Finding = { what: string; state: "good" | "note" | "wrong"; finding: string };

const MEBIBYTE = 1_048_576;
const MIN_FREE_MIB = 512;

/** Checks the settings, the home directory, the machine and the database. */
export async function doctor(env: Record<string, string | undefined>): Promise<Finding[]> {
  const findings: Finding[] = [bunVersion()];
  const add = async (
    what: string,
    examine: () => Promise<string> | string,
    onError: Finding["state"] = "wrong",
  ) => {
    try {
      findings.push({ what, state: "good", finding: await examine() });
    } catch (error) {
      findings.push({ what, state: onError, finding: (error as Error).message });
    }
  };
  let config: Config | undefined;
  let home: Home | undefined;
  await add("settings", () => {
    config = readConfig(env);
    return `NODE_ENV is ${config.NODE_ENV}`;
  });
  if (!config) return findings;
  const settings = config;
  await add("home", () => {
    home = openHome(settings.IRONTRACK_HOME);
    accessSync(home.dir, constants.W_OK);
    return home.dir;
  });
  await add("disk space", () => describeSpace(home?.dir ?? "."), "note");
  await add("database", () => describeDatabase(settings));
  await add("backups", () => describeTools(settings, env.PATH ?? ""), "note");
  await add("address", () => describeAddress(settings), "note");
  return findings;
}

function bunVersion(): Finding {
  const pinned = packageManager.split("@")[1];
  const isPinned = Bun.version === pinned;
  return {
    what: "bun",
    state: isPinned ? "good" : "note",
    finding: isPinned ? Bun.version : `${Bun.version}, pinned is ${pinned}`,
  };
}

function describeSpace(dir: string): string {
  const { bavail, bsize } = statfsSync(dir);
  const freeMib = Math.floor((bavail * bsize) / MEBIBYTE);
  if (freeMib < MIN_FREE_MIB) throw new Error(`only ${freeMib} MiB free in ${dir}`);
  return `${freeMib} MiB free`;
}

function describeDatabase(config: Config): Promise<string> {
  return withDatabase(config, async (db, database) => {
    const [server] = await db.sql<
      { version: string }[]
    >`select current_setting('server_version') as version`;
    const pending = (await migrationStates(db)).filter(({ appliedAt }) => appliedAt === null);
    if (config.DATABASE_URL) await checkPooled(database.pooled);
    const schema =
      pending.length === 0
        ? "schema current"
        : `${pending.length} migrations pending: irontrack migrate`;
    return `PostgreSQL ${server?.version} (${database.isEmbedded ? "embedded" : "DATABASE_URL"}), ${schema}`;
  });
}

async function checkPooled(url: string) {
  const pool = openPool(url, { size: 1, prepare: false });
  try {
    await pool.sql`select 1`;
  } finally {
    await pool.close(1);
  }
}

async function describeAddress({ HOST, PORT }: Config): Promise<string> {
  if (HOST === "") return "Unix socket only";
  const address = `${HOST.includes(":") ? `[${HOST}]` : HOST}:${PORT}`;
  // By listening, not by connecting: any listener occupies the port, whether it speaks HTTP or not.
  const server = createServer();
  await new Promise<void>((resolve, reject) => {
    server.once("error", (error: NodeJS.ErrnoException) => {
      const isTaken = error.code === "EADDRINUSE";
      reject(
        new Error(
          isTaken
            ? `${address} is taken (HOST, PORT)`
            : `Cannot listen on ${address}: ${error.code}`,
        ),
      );
    });
    server.listen({ host: HOST, port: PORT, exclusive: true }, resolve);
  });
  await new Promise((resolve) => server.close(resolve));
  return `${address} is free`;
}

/** The installed pg_dump, which backups need. */
function describeTools({ PG_BIN }: Config, path: string): string {
  const { version, dir } = findPostgresTools({ PG_BIN, path }, OLDEST_SERVER * 10_000);
  return `pg_dump ${version} in ${dir}`;
}
