import { existsSync } from "node:fs";
import { join } from "node:path";

const PROGRAM = join(import.meta.dir, "../bench/cli.ts");

/** Runs a benchmark command and returns its exit code. The executable has no benchmarks. */
export async function runBench(args: string[]): Promise<number> {
  if (!existsSync(PROGRAM)) {
    console.error("irontrack: bench needs a checkout of the repository");
    return 2;
  }
  process.env.IRONTRACK_BENCH_NAME ??= "irontrack bench";
  process.argv.splice(2, process.argv.length, ...args);
  await import(PROGRAM);
  return Number(process.exitCode ?? 0);
}
