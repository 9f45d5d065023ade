import { existsSync, readFileSync, statSync } from "node:fs";
import { dirname, join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { TableResult } from "../figures/table.ts";
import type { RunResult } from "../measure/run-http.ts";
import type { SweepResult } from "../measure/sweep.ts";
import type { Sample } from "../probes/sampler.ts";
import type { AbResult } from "../regressions/ab.ts";

/** The results on one page: a run, its sweeps and comparisons of versions. */
export type Evidence = { run?: RunResult; sweeps: SweepResult[]; comparisons: AbResult[] };

/**
 * Reads the results for one page from directories or files. Throws OperatorError if they do not
 * make a page.
 */
export function readEvidence(paths: string[]): Evidence {
  const results = paths.flatMap(filesOf).map(readResult);
  const [run, ...others] = results.filter((result) => "results" in result);
  if (others.length > 0)
    throw new OperatorError("A page shows one run; use --compare for two runs", 2);
  if (run?.results.some(({ probes }) => probes.samples.length === 0)) {
    throw new OperatorError(
      `The run of ${run.host.commit} has no samples.json, which is not committed; only --compare and --plots work without it`,
      2,
    );
  }
  return {
    ...(run ? { run } : {}),
    sweeps: results.filter((result) => "kind" in result),
    comparisons: results.filter((result) => "findings" in result),
  };
}

/** Reads one run; committed runs have no samples. Throws OperatorError for any other result. */
export function readRun(path: string): RunResult {
  const run = filesOf(path)
    .map(readResult)
    .find((result) => "results" in result);
  if (!run) throw new OperatorError(`${path} is not a run of http or mix`, 2);
  return run;
}

/** Reads the result of a suite without load; undefined for any other result. */
export function readTable(path: string): TableResult | undefined {
  const [file = ""] = filesOf(path);
  const result = parseResult(file);
  return "rows" in result ? (result as TableResult) : undefined;
}

/**
 * Splits a run into run.json, which is committed, and samples.json, which is not: the samples are
 * most of its size.
 */
export function splitSamples(run: RunResult) {
  const results = run.results.map(({ probes: { samples: _, ...probes }, ...result }) => ({
    ...result,
    probes,
  }));
  const samples = run.results.map(({ operation, probes }) => [operation, probes.samples]);
  return { headline: { ...run, results }, samples: Object.fromEntries(samples) as Samples };
}

/** The default output directory for a page about `path`. */
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
      throw new OperatorError(`${file} is not a result: it is not JSON`);
    throw error;
  }
  if (typeof result !== "object" || result === null)
    throw new OperatorError(`${file} is not a result`);
  return result;
}

function readResult(file: string): RunResult | SweepResult | AbResult {
  // biome-ignore lint/suspicious/noExplicitAny: their keys distinguish the kinds of results.
  const result = parseResult(file) as any;
  // Other results have findings too; only a comparison of two versions has a verdict.
  if (("findings" in result && "verdict" in result) || result.kind === "sweep") return result;
  if (!("results" in result))
    throw new OperatorError(`${file} has no page: only http, mix, sweep and ab have one`, 2);
  if (result.format !== RUN_FORMAT) {
    throw new OperatorError(`${file} has format ${result.format}; pages need ${RUN_FORMAT}`, 2);
  }
  return withSamples(result, join(dirname(file), "samples.json"));
}

type Samples = Record<string, Sample[]>;

/** Adds the samples to a run; without samples.json the operations have none. */
function withSamples(run: RunResult, file: string): RunResult {
  const stored: Samples = existsSync(file) ? JSON.parse(readFileSync(file, "utf8")) : {};
  const results = run.results.map(({ operation, probes, ...result }) => {
    const samples = probes.samples ?? stored[operation] ?? [];
    return { ...result, operation, probes: { ...probes, samples } };
  });
  return { ...run, results };
}
