import { spawn } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";

export type TestRun = { passed: number; failed: number; ok: boolean };

const ROOT = join(import.meta.dir, "../..");

/**
 * Runs the test suite against a PostgreSQL of its own and prints how many passed. `slow` runs the slow truths (kill
 * loops, floods) instead, one file at a time.
 */
export async function runTests(
  patterns: string[],
  { slow = false, name }: { slow?: boolean; name?: string | undefined } = {},
): Promise<TestRun> {
  // Loaded here and not above: the harness is not part of what ships.
  const { startTestCluster, TEST_DATABASE_URL } = await import("#test/cluster.ts");
  const cluster = await startTestCluster();
  const dir = mkdtempSync(join(tmpdir(), "irontrack-report-"));
  const report = join(dir, "junit.xml");
  try {
    const flags = slow
      ? ["--timeout=1200000", ...(patterns.length > 0 ? [] : [".slow.test.ts"])]
      : ["--timeout=60000", "--parallel=2", "--path-ignore-patterns=**/*.slow.test.ts"];
    const named = name === undefined ? [] : ["-t", name];
    const command = ["test", ...flags, ...named, "--reporter=junit", `--reporter-outfile=${report}`, ...patterns];
    const exitCode = await new Promise<number>((resolve) => {
      const child = spawn(process.execPath, command, {
        cwd: ROOT,
        stdio: "inherit",
        env: { ...process.env, [TEST_DATABASE_URL]: cluster.url, NODE_ENV: "test" },
      });
      // Interrupted, the tests end first and the PostgreSQL that was started for them after.
      const interrupt = () => void child.kill("SIGTERM");
      process.once("SIGINT", interrupt).once("SIGTERM", interrupt);
      child.once("exit", (code) => resolve(code ?? 1));
    });
    const run = countTests(report, exitCode);
    console.log(`${run.passed} passed, ${run.failed} failed`);
    return run;
  } finally {
    await cluster.stop();
    rmSync(dir, { recursive: true, force: true });
  }
}

function countTests(report: string, exitCode: number): TestRun {
  const head = readReport(report).match(/<testsuites [^>]*>/)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const passed = count("tests") - failed - count("skipped");
  return { passed, failed: exitCode !== 0 ? Math.max(failed, 1) : failed, ok: exitCode === 0 && passed > 0 };
}

function readReport(report: string): string {
  try {
    return readFileSync(report, "utf8");
  } catch {
    return "";
  }
}
