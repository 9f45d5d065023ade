import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runProgram } from "#lib/processes/programs.ts";

/**
 * Where PostgreSQL's client programs may be: PG_BIN alone when it is set, else the PATH and
 * Debian's places.
 */
export type ToolPlaces = { PG_BIN?: string | undefined; path: string };

export type PostgresTools = { dir: string; version: string };

type Tool = "pg_dump" | "pg_restore";

const DEBIAN = "/usr/lib/postgresql";
/** Fetches the programs into the user's cache and prints where; in a checkout. */
const FETCH = join(import.meta.dir, "../../.ci/postgresql-client");

/**
 * The client programs that fit a server of `serverVersion` (180004): none older than it, and of
 * those the nearest, since what a newer pg_dump writes may want a newer server. Throws
 * OperatorError that names the package to install.
 */
export function findPostgresTools(places: ToolPlaces, serverVersion: number): PostgresTools {
  const major = Math.floor(serverVersion / 10_000);
  const dirs = places.PG_BIN ? [places.PG_BIN] : [...places.path.split(":"), ...debianDirs()];
  const found = [...new Set(dirs)].flatMap((dir) => {
    const version = toolVersion(dir);
    return version === undefined ? [] : [{ dir, version }];
  });
  const fitting = found.filter(({ version }) => Number.parseInt(version, 10) >= major);
  const nearest = fitting.sort(
    (one, other) =>
      Number.parseInt(one.version, 10) - Number.parseInt(other.version, 10) ||
      Bun.semver.order(`${other.version}.0`, `${one.version}.0`),
  )[0];
  if (nearest) return nearest;
  const seen =
    found.map(({ dir, version }) => `${version} in ${dir}`).join(", ") || "there are none";
  throw new OperatorError(
    `This needs PostgreSQL's pg_dump and pg_restore, version ${major} or newer (${seen}): install postgresql-client-${major}, or name their directory in PG_BIN${existsSync(FETCH) ? "; .ci/postgresql-client fetches them: export PG_BIN=$(.ci/postgresql-client)" : ""}`,
  );
}

/**
 * What a program is told of the server by its environment: a command line could be read by
 * everybody.
 */
export function connectionOf(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const given = {
    PGHOST: searchParams.get("host") ?? decodeURIComponent(hostname),
    PGPORT: searchParams.get("port") ?? port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get("sslmode") ?? "",
    PGSSLROOTCERT: searchParams.get("sslrootcert") ?? "",
  };
  return Object.fromEntries(Object.entries(given).filter(([, value]) => value !== ""));
}

/**
 * Runs a program on the database of `url` and gives what it printed. Throws OperatorError with its
 * last words; ends it when `signal` says so.
 */
export async function runTool(
  { dir }: PostgresTools,
  tool: Tool,
  args: string[],
  { url, signal }: { url?: string; signal?: AbortSignal } = {},
): Promise<string> {
  const { code, stdout, stderr } = await runProgram([join(dir, tool), ...args], {
    env: { PATH: "/usr/bin:/bin", LC_ALL: "C", TZ: "UTC", ...(url ? connectionOf(url) : {}) },
    signal,
  });
  if (signal?.aborted) throw new OperatorError(`${tool} was interrupted`);
  if (code !== 0)
    throw new OperatorError(`${tool} failed: ${stderr.trim().split("\n").slice(-3).join("; ")}`);
  return stdout;
}

function debianDirs(): string[] {
  if (!existsSync(DEBIAN)) return [];
  return readdirSync(DEBIAN).map((version) => join(DEBIAN, version, "bin"));
}

/** As `18.4`; undefined when the directory has not both programs. */
function toolVersion(dir: string): string | undefined {
  if (!existsSync(join(dir, "pg_restore")) || !existsSync(join(dir, "pg_dump"))) return undefined;
  const said = spawnSync(join(dir, "pg_dump"), ["--version"], { encoding: "utf8" }).stdout ?? "";
  return /\(PostgreSQL\) (\d+\.\d+)/.exec(said)?.[1];
}
