import { appendFileSync } from "node:fs";
import { join } from "node:path";

/**
 * The environment variables by which `./irontrack test --executable` names what was built, and
 * where to say what ran.
 */
export const TEST_EXECUTABLE = "TEST_EXECUTABLE";
export const TEST_LEDGER = "TEST_LEDGER";

/** The executable under test, when it is one and not the sources. */
export const executable = (): string | undefined => process.env[TEST_EXECUTABLE];

/** What tests start as `irontrack`: the executable under test, or the sources. */
export function program(): [string, ...string[]] {
  const built = executable();
  return built === undefined
    ? [process.execPath, join(import.meta.dir, "../cli/main.ts")]
    : [built];
}

/**
 * Remembers, for the end of a run against the executable, that `where` was tested with it, or why
 * it was not.
 */
export function note(where: string, why: "executable" | (string & {})): void {
  const ledger = process.env[TEST_LEDGER];
  if (ledger) appendFileSync(ledger, `${JSON.stringify({ where, why })}\n`);
}

/** The file and line of the test that called, as a stack names them. */
export function calledFrom(): string {
  const lines = (new Error().stack ?? "").split("\n");
  const line = lines.find((entry) => /\.test\.ts:\d+/.test(entry)) ?? "";
  return (
    /([\w./-]+\.test\.ts:\d+)/.exec(line)?.[1]?.replace(`${join(import.meta.dir, "..")}/`, "") ??
    "elsewhere"
  );
}

/** What a test throws that looks into the process which answers: it is run again on the sources. */
export const sourcesOnly = (why: string): Error =>
  Object.assign(new Error(why), { name: "SourcesOnly" });
export const isSourcesOnly = (error: unknown): error is Error =>
  (error as Error | undefined)?.name === "SourcesOnly";
