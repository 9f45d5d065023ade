import { chmodSync, existsSync, readFileSync, rmSync } from "node:fs";
import { join } from "node:path";
import { endWhenInterrupted } from "#lib/command-line/interrupts.ts";
import { startProgram } from "#lib/processes/programs.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { buildExecutable } from "./build.ts";

type TestOptions = {
  slow?: boolean;
  built?: boolean;
  name?: string | undefined;
  pooler?: string | true | undefined;
};

export type TestRun = { passed: number; failed: number; ok: boolean };

/** Records which program each test ran against; written by the tests. */
const LEDGER = "ledger.jsonl";
/** In a longer TMPDIR, the paths of sockets would not fit into sun_path. */
const MAX_DIRECTORY = 40;
const ROOT = join(import.meta.dir, "..");

/**
 * Runs the test suite against its own PostgreSQL and prints how many tests passed. `slow` runs the
 * slow tests (kill loops, floods) instead, one file at a time. `built` builds the executable and
 * runs it wherever a test does not look into the process, and lists the tests that do. `pooler`
 * puts PgBouncer (or the program of that name) in front of PostgreSQL.
 */
export async function runTests(
  patterns: string[],
  { slow = false, built = false, name, pooler }: TestOptions = {},
): Promise<TestRun> {
  // Imported dynamically: the executable does not contain the harness.
  const { startTestCluster, TEST_DATABASE_URL } = await import("#test/cluster.ts");
  const { startTestPooler } = await import("#test/pooler.ts");
  endWhenInterrupted("irontrack test: interrupted, so this run is incomplete");
  const workers = slow ? 1 : 2;
  const cluster = await startTestCluster({ withTemplate: built, workers });
  const pooled = pooler === undefined ? undefined : await startTestPooler(cluster, pooler);
  const directory = temporaryDirectory("t");
  // Tests may run as another user.
  chmodSync(directory, 0o711);
  const report = join(directory, "junit.xml");
  try {
    const underTest = built ? await buildForTests(directory) : {};
    const flags = slow
      ? ["--timeout=1200000", ...(patterns.length > 0 ? [] : [".slow.test.ts"])]
      : ["--timeout=60000", `--parallel=${workers}`, "--path-ignore-patterns=**/*.slow.test.ts"];
    const named = name === undefined ? [] : ["-t", name];
    const command = [
      "test",
      ...flags,
      ...named,
      "--reporter=junit",
      `--reporter-outfile=${report}`,
      ...patterns,
    ];
    const tests = startProgram([process.execPath, ...command], {
      cwd: ROOT,
      stdio: ["inherit", "inherit", "inherit"],
      env: {
        ...process.env,
        ...underTest,
        [TEST_DATABASE_URL]: cluster.url,
        ...pooled?.environment,
        NODE_ENV: "test",
        // Whatever interrupted tests leave behind is removed with this directory.
        ...(directory.length > MAX_DIRECTORY ? {} : { TMPDIR: directory }),
      },
    });
    const exitCode = (await tests.ended).code ?? 1;
    const run = countTests(report, exitCode);
    if (built) await tellWhatRan(join(directory, LEDGER));
    console.log(`${run.passed} passed, ${run.failed} failed`);
    return run;
  } finally {
    await pooled?.stop();
    await cluster.stop();
    rmSync(directory, { recursive: true, force: true });
  }
}

async function buildForTests(dir: string): Promise<Record<string, string>> {
  const { TEST_EXECUTABLE, TEST_LEDGER } = await import("#test/program.ts");
  return {
    [TEST_EXECUTABLE]: await buildExecutable(join(dir, "irontrack")),
    [TEST_LEDGER]: join(dir, LEDGER),
  };
}

/** Prints how many tests the executable answered, and why others ran on the sources. */
async function tellWhatRan(ledger: string): Promise<void> {
  if (!existsSync(ledger)) return;
  const entries = readFileSync(ledger, "utf8").trim().split("\n");
  const byReason = Map.groupBy(
    entries.map((line) => JSON.parse(line) as { where: string; why: string }),
    ({ why }) => why,
  );
  console.log(`${byReason.get("executable")?.length ?? 0} tests were answered by the executable`);
  byReason.delete("executable");
  for (const [why, where] of byReason) {
    const places = [...new Set(where.map((entry) => entry.where))].sort();
    console.log(
      `${where.length} by the sources, because the test ${why}:\n  ${places.join("\n  ")}`,
    );
  }
}

function countTests(report: string, exitCode: number): TestRun {
  const head = readReport(report).match(/<testsuites [^>]*>/)?.[0] ?? "";
  const count = (name: string) => Number(new RegExp(` ${name}="(\\d+)"`).exec(head)?.[1] ?? 0);
  const failed = count("failures") + count("errors");
  const passed = count("tests") - failed - count("skipped");
  return {
    passed,
    failed: exitCode !== 0 ? Math.max(failed, 1) : failed,
    ok: exitCode === 0 && passed > 0,
  };
}

function readReport(report: string): string {
  try {
    return readFileSync(report, "utf8");
  } catch {
    return "";
  }
}
