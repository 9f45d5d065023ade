import { describe } from "bun:test";
import { existsSync, globSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findPostgresTools, type PostgresTools } from "#src/backup/postgres-tools.ts";

/** The version of the PostgreSQL that comes along, which tools must not be older than. */
const SERVER_VERSION = 180_000;

/**
 * What PG_BIN names, else what `.ci/postgresql-client` fetched, else what the machine has; throws
 * when none fits.
 */
export function testTools(): PostgresTools {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const [fetched] = globSync(
    join(cache, "irontrack/postgresql-client-*/embedded_postgres/pginstall/bin"),
  );
  const PG_BIN = process.env.PG_BIN ?? (fetched && existsSync(fetched) ? fetched : undefined);
  return findPostgresTools({ PG_BIN, path: process.env.PATH ?? "" }, SERVER_VERSION);
}

/**
 * `describe` for tests that need pg_dump: without one that fits they are skipped with a line, and
 * in CI they fail.
 */
export function describeWithTools(name: string, tests: () => void): void {
  let missing: Error | undefined;
  try {
    testTools();
  } catch (error) {
    if (process.env.CI) throw error;
    missing = error as Error;
    console.warn(`SKIPPED: ${name}. ${missing.message}; or run .ci/postgresql-client`);
  }
  describe.skipIf(missing !== undefined)(name, tests);
}
