import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { TableResult } from "../figures/table.ts";
import type { RunResult } from "../measure/run-http.ts";
import type { SweepResult } from "../measure/sweep.ts";
import type { AbResult } from "../regressions/ab.ts";

/** What a page is about: a run, the knees of some of its operations, comparisons of versions. */
export type Evidence = { run?: RunResult; sweeps: SweepResult[]; comparisons: AbResult[] };

/**
 * What is written in directories of results, or in their files by name. Throws OperatorError when
 * that makes no page.
 */
export function readEvidence(paths: string[]): Evidence {
  const found = paths.flatMap(filesOf).map((file) => readResult(file));
  const runs = found.filter((one) => "results" in one);
  if (runs.length > 1)
    throw new OperatorError("A page is about one run; of two there is --compare", 2);
  return {
    ...(runs[0] ? { run: runs[0] } : {}),
    sweeps: found.filter((one) => "kind" in one),
    comparisons: found.filter((one) => "findings" in one),
  };
}

/** One run. Throws OperatorError when there is something else. */
export function readRun(path: string): RunResult {
  const { run } = readEvidence([path]);
  if (!run) throw new OperatorError(`${path} is no run of http or mix`, 2);
  return run;
}

/** What a suite that is not under load found; undefined where there is something else. */
export function readTable(path: string): TableResult | undefined {
  const [file = ""] = filesOf(path);
  const result = parseResult(file);
  return "rows" in result ? (result as TableResult) : undefined;
}

/** Where what is made of a path is written. */
export const directoryOf = (path: string): string => (isDirectory(path) ? path : dirname(path));

function isDirectory(path: string): boolean {
  if (!existsSync(path)) throw new OperatorError(`there is no result ${path}`);
  return statSync(path).isDirectory();
}

function filesOf(path: string): string[] {
  if (!isDirectory(path)) return [path];
  const files = ["run.json", "ab.json"].map((name) => join(path, name)).filter(existsSync);
  if (files.length === 0)
    throw new OperatorError(`There is neither run.json nor ab.json in ${path}`, 2);
  return files;
}

const RUN_FORMAT = 3;

function parseResult(file: string): object {
  let result: unknown;
  try {
    result = JSON.parse(readFileSync(file, "utf8"));
  } catch (error) {
    if (error instanceof SyntaxError)
      throw new OperatorError(`${file} is no result: it is not JSON`);
    throw error;
  }
  if (typeof result !== "object" || result === null)
    throw new OperatorError(`${file} is no result`);
  return result;
}

function readResult(file: string): RunResult | SweepResult | AbResult {
  // biome-ignore lint/suspicious/noExplicitAny: told apart by what it has.
  const result = parseResult(file) as any;
  // Other results have findings too; those of two versions have a verdict.
  if (("findings" in result && "verdict" in result) || result.kind === "sweep") return result;
  if (!("results" in result))
    throw new OperatorError(`${file} has no page: only http, mix, sweep and ab have one`, 2);
  if (result.format !== RUN_FORMAT) {
    throw new OperatorError(
      `${file} is of format ${result.format}; pages are made of format ${RUN_FORMAT}`,
      2,
    );
  }
  return result;
}
