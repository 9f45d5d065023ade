import { join } from "node:path";
import { OperatorError } from "#src/errors.ts";

const CLI = join(import.meta.dir, "../cli.ts");

/**
 * Runs a command of the laboratory as a person would, in a process of its own. Gives what it said when it ends with one of
 * `expected`. Throws OperatorError for any other end.
 */
export async function runBench(args: string[], expected: number[]) {
  const child = Bun.spawn([process.execPath, CLI, ...args], { stdout: "pipe", stderr: "pipe" });
  const [said, complained] = await Promise.all([new Response(child.stdout).text(), new Response(child.stderr).text()]);
  const exitCode = await child.exited;
  if (expected.includes(exitCode)) return { exitCode, said };
  throw new OperatorError(`bun bench ${args[0]} ended with ${exitCode}: ${complained.slice(-500)}`);
}
