import { appendFileSync } from "node:fs";
import { join } from "node:path";

/** Set by `./irontrack test --executable`: the executable, and the file for `recordProgram`. */
export const TEST_EXECUTABLE = "TEST_EXECUTABLE";
export const TEST_LEDGER = "TEST_LEDGER";

/** The executable under test; undefined if the sources are tested. */
export const executable = (): string | undefined => process.env[TEST_EXECUTABLE];

/** The command that tests start as `irontrack`: the executable under test, or the sources. */
export function program(): [string, ...string[]] {
  const built = executable();
  return built === undefined
    ? [process.execPath, join(import.meta.dir, "../cli/main.ts")]
    : [built];
}

/** Records for the report of the run that a test used the executable, or why it did not. */
export function recordProgram(where: string, why: "executable" | (string & {})): void {
  const ledger = process.env[TEST_LEDGER];
  if (ledger) appendFileSync(ledger, `${JSON.stringify({ where, why })}\n`);
}

/** The file and line of the calling test. */
export function callingTest(): string {
  const lines = (new Error().stack ?? "").split("\n");
  const line = lines.find((entry) => /\.test\.ts:\d+/.test(entry)) ?? "";
  return (
    /([\w./-]+\.test\.ts:\d+)/.exec(line)?.[1]?.replace(`${join(import.meta.dir, "..")}/`, "") ??
    "elsewhere"
  );
}

/** The error of a test that needs the application in its own process; it then runs the sources. */
export const sourcesOnly = (why: string): Error =>
  Object.assign(new Error(why), { name: "SourcesOnly" });
export const isSourcesOnly = (error: unknown): error is Error =>
  (error as Error | undefined)?.name === "SourcesOnly";
