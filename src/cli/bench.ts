import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { join } from "node:path";

const PROGRAM = join(import.meta.dir, "../../bench/cli.ts");

/** Hands over to the bench laboratory, a program of its own that does not ship; gives its exit code. */
export async function runBench(args: string[]): Promise<number> {
  if (!existsSync(PROGRAM)) {
    console.error("irontrack: the bench laboratory needs a checkout of the repository");
    return 2;
  }
  const child = spawn(process.execPath, [PROGRAM, ...args], { stdio: "inherit" });
  const pass = (signal: NodeJS.Signals) => void child.kill(signal);
  process.on("SIGINT", pass).on("SIGTERM", pass);
  return await new Promise((resolve) => child.once("exit", (code) => resolve(code ?? 1)));
}
