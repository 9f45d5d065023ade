import { existsSync, globSync } from "node:fs";
import { homedir } from "node:os";
import { join } from "node:path";
import { findPostgresTools, type PostgresTools } from "#src/backup/postgres-tools.ts";
import { describeWithPrograms } from "./describe-with-programs.ts";

/** The version of the embedded PostgreSQL; tools must not be older. */
const SERVER_VERSION = 180_000;

/** The tools of PG_BIN, of `.ci/postgresql-client`, or of the machine. Throws if none is suitable. */
export function testTools(): PostgresTools {
  const cache = process.env.XDG_CACHE_HOME ?? join(homedir(), ".cache");
  const [downloaded] = globSync(
    join(cache, "irontrack/postgresql-client-*/embedded_postgres/pginstall/bin"),
  );
  const PG_BIN =
    process.env.PG_BIN ?? (downloaded && existsSync(downloaded) ? downloaded : undefined);
  return findPostgresTools({ PG_BIN, path: process.env.PATH ?? "" }, SERVER_VERSION);
}

/** `describe` for tests that need pg_dump. */
export const describeWithTools = (name: string, tests: () => void): void =>
  describeWithPrograms(name, findTestTools, tests);

function findTestTools(): void {
  try {
    testTools();
  } catch (error) {
    throw new Error(`${(error as Error).message}; or run .ci/postgresql-client`);
  }
}
