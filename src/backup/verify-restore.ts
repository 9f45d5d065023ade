import { openPool } from "#db/client.ts";
import { findCorruption, readContents } from "./contents.queries.ts";
import type { Contents } from "./manifest.ts";
import { type PostgresTools, runTool } from "./postgres-tools.ts";

export type Check = { what: string; state: "good" | "note" | "wrong"; finding: string };

/** Compares every table of the database at `url` with the backup's manifest. */
export async function compareContents(url: string, expected: Contents): Promise<Check> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const actual = await readContents(db);
    const names = [...new Set([...Object.keys(expected), ...Object.keys(actual)])];
    const faults = names.flatMap((name) => {
      const [before, after] = [expected[name], actual[name]];
      if (!before) return [`${name} is not in the manifest`];
      if (!after) return [`${name} is missing`];
      if (before.rows !== after.rows)
        return [`${name} has ${after.rows} rows instead of ${before.rows}`];
      return before.hash === after.hash ? [] : [`${name} has other contents`];
    });
    const rows = Object.values(actual).reduce((sum, table) => sum + table.rows, 0);
    return checkOf("contents", faults, `${rows} rows in ${names.length} tables match the backup`);
  } finally {
    await db.close();
  }
}

/** Compares the schema of the database at `url` with the one in `dump`, both as SQL. */
export async function compareSchema(
  url: string,
  dump: string,
  tools: PostgresTools,
): Promise<Check> {
  const flags = ["--schema-only", "--no-owner", "--no-privileges"];
  const [expectedSql, actualSql] = await Promise.all([
    runTool(tools, "pg_restore", [...flags, "--file=-", dump]),
    runTool(tools, "pg_dump", flags, { url }),
  ]);
  const [expected, actual] = [statementsOf(expectedSql), statementsOf(actualSql)];
  const length = Math.max(expected.length, actual.length);
  const index = Array.from({ length }).findIndex((_, line) => expected[line] !== actual[line]);
  const faults = index < 0 ? [] : [`it differs at: ${expected[index] ?? actual[index]}`];
  return checkOf("schema", faults, `${expected.length} lines of SQL match the backup`);
}

/** Checks tables and indexes for corruption, if amcheck is available. */
export async function checkStructure(url: string): Promise<Check> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const faults = await findCorruption(db);
    if (faults === undefined) {
      const finding =
        "not checked: amcheck is not installed, and this role may not create it (superusers may)";
      return { what: "amcheck", state: "note", finding };
    }
    return checkOf("amcheck", faults, "tables and indexes are consistent");
  } finally {
    await db.close();
  }
}

/**
 * The lines of a dump that are comparable: without comments, which name versions; without psql's
 * restriction key, which is random; and without parentheses in check constraints, because
 * PostgreSQL prints more of them in `a and b between c and d` until the constraint was dumped and
 * restored.
 */
export const statementsOf = (dump: string): string[] =>
  dump
    .split("\n")
    .filter((line) => !/^(--|\\(un)?restrict |$)/.test(line))
    .map((line) => (/^ +CONSTRAINT \S+ CHECK /.test(line) ? line.replaceAll(/[()]/g, "") : line));

const checkOf = (what: string, faults: string[], success: string): Check =>
  faults.length === 0
    ? { what, state: "good", finding: success }
    : { what, state: "wrong", finding: faults.join("; ") };
