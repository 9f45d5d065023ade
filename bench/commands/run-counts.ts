import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Counts, countRequests } from "../measure/counts.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { chooseScenarios } from "../suites/suites.ts";
import { makeFixtures } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed } from "../testbed/testbed.ts";

const FILE = join(import.meta.dir, "../counts.json");

type Known = Record<string, Counts>;

/**
 * Counts what a request of each operation costs, and compares with `counts.json`, or writes it.
 * Returns the operations that cost something else than it says: statements and flushes must be the
 * same anywhere, the rest depends on data. Throws OperatorError for a name that no operation has.
 */
export async function countOperations(
  names: string[],
  { write = false, isJson = false } = {},
): Promise<string[]> {
  const operations = names.length > 0 ? chooseScenarios(["http", ...names]).names : [];
  const testBed = await openTestBed();
  try {
    const found = await countAll(testBed, operations);
    const known: Known = existsSync(FILE) ? (JSON.parse(readFileSync(FILE, "utf8")) as Known) : {};
    if (write) {
      const all = Object.entries({ ...known, ...found }).sort(([a], [b]) => (a < b ? -1 : 1));
      writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
    }
    if (isJson) console.log(JSON.stringify(found, null, 2));
    else print(found, known);
    return write
      ? []
      : Object.keys(found).filter((name) => isOther(found[name] as Counts, known[name]));
  } finally {
    await testBed.close();
  }
}

async function countAll(testBed: TestBed, names: string[]): Promise<Known> {
  const fixtures = await makeFixtures(testBed);
  const found: Known = {};
  for (const { operation, request } of HTTP_SCENARIOS) {
    if (names.length > 0 && !names.includes(operation)) continue;
    process.stderr.write(`\r\x1b[K${operation}`);
    found[operation] = await countRequests(testBed, (n) => request(fixtures, n));
  }
  process.stderr.write("\r\x1b[K");
  return found;
}

export const isOther = (found: Counts, known: Counts | undefined): boolean =>
  found.statements !== known?.statements || found.flushes !== known.flushes;

function print(found: Known, known: Known) {
  const columns = ["statements", "flushes", "rows", "blocks", "walBytes", "bodyBytes"] as const;
  console.log(
    `${"a request of".padEnd(24)}${columns.map((column) => column.padStart(12)).join("")}`,
  );
  for (const [name, counts] of Object.entries(found)) {
    const was = known[name];
    const changed = isOther(counts, was)
      ? `   was ${was ? `${was.statements} and ${was.flushes}` : "unknown"}`
      : "";
    console.log(
      `${name.padEnd(24)}${columns.map((column) => String(counts[column]).padStart(12)).join("")}${changed}`,
    );
  }
}
