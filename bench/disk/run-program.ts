import { spawnSync } from "node:child_process";
import { OperatorError } from "#lib/errors.ts";

/**
 * Runs a program to its end and gives what it printed. Throws OperatorError with its last words
 * when it fails.
 */
export function runProgram([command = "", ...args]: string[]): string {
  const done = spawnSync(command, args, { encoding: "utf8" });
  if (done.status !== 0)
    throw new OperatorError(`${command} failed: ${done.stderr?.trim() || done.error?.message}`);
  return done.stdout;
}
