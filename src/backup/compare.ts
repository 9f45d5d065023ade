import { openPool } from "#db/client.ts";
import { findCorruption, readContents } from "./contents.queries.ts";
import type { Contents } from "./manifest.ts";
import { type PostgresTools, runTool } from "./postgres-tools.ts";

export type Check = { what: string; state: "good" | "note" | "wrong"; finding: string };

/** Compares every table of the database of `url` with what the backup's manifest says of it. */
export async function compareContents(url: string, expected: Contents): Promise<Check> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const found = await readContents(db);
    const names = [...new Set([...Object.keys(expected), ...Object.keys(found)])];
    const faults = names.flatMap((name) => {
      const [one, other] = [expected[name], found[name]];
      if (!one) return [`${name} is not in the manifest`];
      if (!other) return [`${name} is missing`];
      if (one.rows !== other.rows) return [`${name} has ${other.rows} rows instead of ${one.rows}`];
      return one.hash === other.hash ? [] : [`${name} has other contents`];
    });
    const rows = Object.values(found).reduce((sum, table) => sum + table.rows, 0);
    return judged(
      "contents",
      faults,
      `${rows} rows in ${names.length} tables are what was backed up`,
    );
  } finally {
    await db.close();
  }
}

/**
 * Compares the schema of the database of `url` with the one in `dump`, as PostgreSQL's own programs
 * print both.
 */
export async function compareSchema(
  url: string,
  dump: string,
  tools: PostgresTools,
): Promise<Check> {
  const flags = ["--schema-only", "--no-owner", "--no-privileges"];
  const [expected, found] = await Promise.all([
    runTool(tools, "pg_restore", [...flags, "--file=-", dump]),
    runTool(tools, "pg_dump", flags, { url }),
  ]);
  const [one, other] = [statementsOf(expected), statementsOf(found)];
  const at = one.findIndex((line, index) => line !== other[index]);
  const differs = at >= 0 || one.length !== other.length;
  const faults = differs ? [`it differs at: ${one[at] ?? other[one.length] ?? other[at]}`] : [];
  return judged("schema", faults, `${one.length} lines of SQL are what was backed up`);
}

/** Looks for corruption in tables and indexes; says so when amcheck is not to be had. */
export async function checkStructure(url: string): Promise<Check> {
  const db = openPool(url, { size: 1, prepare: false });
  try {
    const found = await findCorruption(db);
    if (found === undefined) {
      const finding =
        "not looked at: amcheck is not there, or this role may not create it (superusers may)";
      return { what: "amcheck", state: "note", finding };
    }
    return judged("amcheck", found, "tables and indexes agree with one another");
  } finally {
    await db.close();
  }
}

/**
 * Without comments, which name versions, the key that psql is restricted by, which is drawn anew
 * each time, and a condition's parentheses: PostgreSQL prints `a and b between c and d` with more
 * of them before it has read it back.
 */
export const statementsOf = (dump: string): string[] =>
  dump
    .split("\n")
    .filter((line) => !/^(--|\\(un)?restrict |$)/.test(line))
    .map((line) => (/^ +CONSTRAINT \S+ CHECK /.test(line) ? line.replaceAll(/[()]/g, "") : line));

const judged = (what: string, faults: string[], good: string): Check =>
  faults.length === 0
    ? { what, state: "good", finding: good }
    : { what, state: "wrong", finding: faults.join("; ") };
