import { spawnSync } from "node:child_process";
import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runProgram } from "#lib/processes/programs.ts";

/**
 * Where to find PostgreSQL's client programs: in PG_BIN if set, else the PATH and Debian's
 * directories.
 */
export type ToolPaths = { PG_BIN?: string | undefined; path: string };

export type PostgresTools = { dir: string; version: string };

type Tool = "pg_dump" | "pg_restore";

const DEBIAN = "/usr/lib/postgresql";
/** A script of the checkout that downloads the programs and prints their directory. */
const FETCH_SCRIPT = join(import.meta.dir, "../../.ci/postgresql-client");

/**
 * Finds the client programs for a server of `serverVersion` (180004): the oldest that are not older
 * than the server, because dumps of a newer pg_dump may need a newer server. Throws OperatorError
 * that names the package to install.
 */
export function findPostgresTools(paths: ToolPaths, serverVersion: number): PostgresTools {
  const major = Math.floor(serverVersion / 10_000);
  const dirs = paths.PG_BIN ? [paths.PG_BIN] : [...paths.path.split(":"), ...debianDirs()];
  const installed = [...new Set(dirs)].flatMap((dir) => {
    const version = toolVersion(dir);
    return version === undefined ? [] : [{ dir, version }];
  });
  const compatible = installed.filter(({ version }) => Number.parseInt(version, 10) >= major);
  const oldest = compatible.sort(
    (a, b) =>
      Number.parseInt(a.version, 10) - Number.parseInt(b.version, 10) ||
      Bun.semver.order(`${b.version}.0`, `${a.version}.0`),
  )[0];
  if (oldest) return oldest;
  const versions =
    installed.map(({ dir, version }) => `${version} in ${dir}`).join(", ") || "none was found";
  throw new OperatorError(
    `This needs PostgreSQL's pg_dump and pg_restore, version ${major} or newer (${versions}): install postgresql-client-${major}, or set PG_BIN to their directory${existsSync(FETCH_SCRIPT) ? "; .ci/postgresql-client fetches them: export PG_BIN=$(.ci/postgresql-client)" : ""}`,
  );
}

/** The connection as environment variables, because other users can read command lines. */
export function connectionOf(url: string): Record<string, string> {
  const { hostname, port, username, password, pathname, searchParams } = new URL(url);
  const variables = {
    PGHOST: searchParams.get("host") ?? decodeURIComponent(hostname),
    PGPORT: searchParams.get("port") ?? port,
    PGUSER: decodeURIComponent(username),
    PGPASSWORD: decodeURIComponent(password),
    PGDATABASE: decodeURIComponent(pathname.slice(1)),
    PGSSLMODE: searchParams.get("sslmode") ?? "",
    PGSSLROOTCERT: searchParams.get("sslrootcert") ?? "",
  };
  return Object.fromEntries(Object.entries(variables).filter(([, value]) => value !== ""));
}

/**
 * Runs a program on the database at `url`, and returns its output. `signal` ends it. Throws
 * OperatorError with its last lines of output.
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

/** The version as `18.4`; undefined if the directory does not contain both programs. */
function toolVersion(dir: string): string | undefined {
  if (!existsSync(join(dir, "pg_restore")) || !existsSync(join(dir, "pg_dump"))) return undefined;
  const output = spawnSync(join(dir, "pg_dump"), ["--version"], { encoding: "utf8" }).stdout ?? "";
  return /\(PostgreSQL\) (\d+\.\d+)/.exec(output)?.[1];
}
