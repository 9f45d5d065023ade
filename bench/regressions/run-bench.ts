import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { runProgram } from "#lib/processes/programs.ts";

const CLI = join(import.meta.dir, "../cli.ts");

/** Long enough for the command to stop every process it started. */
const STOP_TIMEOUT_MS = 30_000;

/**
 * Runs a bench command in its own process. Throws OperatorError if its exit code is not one of
 * `expected`.
 */
export async function runBench(args: string[], expected: number[]) {
  const { code, stdout, stderr } = await runProgram([process.execPath, CLI, ...args], {
    graceMs: STOP_TIMEOUT_MS,
  });
  if (code !== null && expected.includes(code)) return { exitCode: code, stdout };
  throw new OperatorError(`./irontrack bench ${args[0]} ended with ${code}: ${stderr.slice(-500)}`);
}
