import { spawnSync } from "node:child_process";
import { OperatorError } from "#lib/errors.ts";

/**
 * Runs a program and returns its output. Throws OperatorError with its error output if it fails.
 */
export function runProgram([command = "", ...args]: string[]): string {
  const result = spawnSync(command, args, { encoding: "utf8" });
  if (result.status !== 0)
    throw new OperatorError(`${command} failed: ${result.stderr?.trim() || result.error?.message}`);
  return result.stdout;
}
