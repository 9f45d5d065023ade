import { existsSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { type Counts, countRequests } from "../measure/counts.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { chooseScenarios } from "../suites/suites.ts";
import { makeFixtures } from "../testbed/fixtures.ts";
import { openTestBed, type TestBed } from "../testbed/testbed.ts";

const FILE = join(import.meta.dir, "../counts.json");

type CountsByOperation = Record<string, Counts>;

/**
 * Counts the cost of one request of each operation and compares it with counts.json, or updates
 * that file. Returns the operations whose statements or flushes differ; the other counts depend on
 * the data. Throws OperatorError if an operation is unknown.
 */
export async function countOperations(
  names: string[],
  { write = false, isJson = false } = {},
): Promise<string[]> {
  const operations = names.length > 0 ? chooseScenarios(["http", ...names]).names : [];
  const testBed = await openTestBed();
  try {
    const counts = await countAll(testBed, operations);
    const committed: CountsByOperation = existsSync(FILE)
      ? JSON.parse(readFileSync(FILE, "utf8"))
      : {};
    if (isJson) console.log(JSON.stringify(counts, null, 2));
    else print(counts, committed);
    if (!write)
      return Object.keys(counts).filter((name) =>
        hasChanged(counts[name] as Counts, committed[name]),
      );
    const all = Object.entries({ ...committed, ...counts }).sort(([a], [b]) => (a < b ? -1 : 1));
    writeFileSync(FILE, `${JSON.stringify(Object.fromEntries(all), null, 2)}\n`);
    return [];
  } finally {
    await testBed.close();
  }
}

async function countAll(testBed: TestBed, names: string[]): Promise<CountsByOperation> {
  const fixtures = await makeFixtures(testBed);
  const counts: CountsByOperation = {};
  for (const { operation, request } of HTTP_SCENARIOS) {
    if (names.length > 0 && !names.includes(operation)) continue;
    process.stderr.write(`\r\x1b[K${operation}`);
    counts[operation] = await countRequests(testBed, (n) => request(fixtures, n));
  }
  process.stderr.write("\r\x1b[K");
  return counts;
}

const hasChanged = (counts: Counts, committed: Counts | undefined): boolean =>
  counts.statements !== committed?.statements || counts.flushes !== committed.flushes;

function print(current: CountsByOperation, committed: CountsByOperation) {
  const columns = ["statements", "flushes", "rows", "blocks", "walBytes", "bodyBytes"] as const;
  console.log(`${"operation".padEnd(24)}${columns.map((column) => column.padStart(12)).join("")}`);
  for (const [name, counts] of Object.entries(current)) {
    const was = committed[name];
    const changed = hasChanged(counts, was)
      ? `   was ${was ? `${was.statements} and ${was.flushes}` : "unknown"}`
      : "";
    console.log(
      `${name.padEnd(24)}${columns.map((column) => String(counts[column]).padStart(12)).join("")}${changed}`,
    );
  }
}
