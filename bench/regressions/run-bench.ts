import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runProgram } from "#lib/processes/programs.ts";

const CLI = join(import.meta.dir, "../cli.ts");

/** Longer than it takes to end all that it started. */
const STOP_TIMEOUT_MS = 30_000;

/**
 * Runs a command of the laboratory as a person would, in a process of its own. Gives what it said
 * when it ends with one of `expected`. Throws OperatorError for any other end.
 */
export async function runBench(args: string[], expected: number[]) {
  const { code, stdout, stderr } = await runProgram([process.execPath, CLI, ...args], {
    graceMs: STOP_TIMEOUT_MS,
  });
  if (code !== null && expected.includes(code)) return { exitCode: code, said: stdout };
  throw new OperatorError(`./irontrack bench ${args[0]} ended with ${code}: ${stderr.slice(-500)}`);
}
