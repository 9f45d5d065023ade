import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { intervalOf } from "../figures/interval.ts";
import { type ResultOptions, writeResult } from "../figures/results.ts";
import { type Measured, type TableResult, tableMarkdown, tableOf } from "../figures/table.ts";
import { hdrLog } from "../load/hdr.ts";
import { toBytes } from "../load/run.ts";
import { type TraceLine, traceText } from "../load/trace.ts";
import { runDb } from "../measure/run-db.ts";
import { type RawRuns, type RunOptions, runScenarios } from "../measure/run-http.ts";
import { reportHtml } from "../report/page.ts";
import { splitSamples } from "../report/stored.ts";
import { reportMarkdown } from "../report/summary.ts";
import { tablePage } from "../report/table-page.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { runIo } from "../suites/io.ts";
import { runMicro } from "../suites/micro.ts";
import { MIX_SCENARIOS } from "../suites/mix.ts";
import { replayOf } from "../suites/replay.ts";
import type { LoadScenario } from "../suites/scenario.ts";
import { measureStalls } from "../suites/stall.ts";
import { type Choice, chooseScenarios } from "../suites/suites.ts";

export type CommandOptions = Omit<RunOptions, "onStep" | "onRaw"> &
  ResultOptions & {
    /** Runs every scenario of the suite, not only the usual ones. */
    all: boolean;
    /** Also writes the due, send and response time of every request. */
    isRaw: boolean;
    /** A trace to replay instead of scenarios. */
    trace?: TraceLine[];
  };

/**
 * Runs the scenarios selected by `words`, writes run.json, summary.md and report.html and, under
 * load, samples.json and responses.hlog. Returns whether the result is valid.
 */
export async function runCommand(words: string[], options: CommandOptions): Promise<boolean> {
  const choice = chooseScenarios(words, options);
  const { name } = choice.suite;
  if (name === "http" || name === "mix") return await runLoad(choice, options);
  if (options.through.length > 0)
    throw new OperatorError(`${name} does not use a proxy or a pooler`, 2);
  const progress = createProgress();
  const result = await runTable(choice, { ...options, onStep: progress.step });
  progress.done();
  const directory = writeResult(
    resultName(choice, options),
    result,
    tableMarkdown(result),
    options,
  );
  writeFileSync(join(directory, "report.html"), tablePage(result));
  return result.doubts.length === 0;
}

async function runLoad(choice: Choice, options: CommandOptions): Promise<boolean> {
  const scenarios = options.trace ? [replayOf(options.trace)] : loadScenariosOf(choice);
  const raw: RawRuns[] = [];
  const onRaw = (runs: RawRuns) => void raw.push(runs);
  const progress = createProgress();
  const run = await runScenarios(scenarios, { ...options, onStep: progress.step, onRaw });
  progress.done();
  const { headline, samples } = splitSamples(run);
  const directory = writeResult(
    resultName(choice, options),
    headline,
    reportMarkdown(run),
    options,
  );
  const page = reportHtml({ run, sweeps: [], comparisons: [] });
  writeFileSync(join(directory, "samples.json"), `${JSON.stringify(samples)}\n`);
  writeFileSync(join(directory, "report.html"), page);
  writeFileSync(join(directory, "responses.hlog"), hdrLog(raw, Date.parse(run.host.at)));
  if (options.isRaw) for (const runs of raw) writeRaw(join(directory, "raw"), runs);
  return [run.disk, ...run.results].every(({ doubts }) => doubts.length === 0);
}

const resultName = ({ suite }: Choice, { profile, isCold, through }: CommandOptions): string =>
  [suite.name, profile, ...(isCold ? ["cold"] : []), ...through].join("-");

/** The chosen scenarios of http or mix; empty for other suites. */
export function loadScenariosOf({ suite, names }: Choice): LoadScenario[] {
  const suites: Record<string, LoadScenario[]> = { http: HTTP_SCENARIOS, mix: MIX_SCENARIOS };
  return (suites[suite.name] ?? []).filter(({ operation }) => names.includes(operation));
}

type TableOptions = CommandOptions & { onStep(step: string): void };

async function runTable({ suite, names }: Choice, options: TableOptions): Promise<TableResult> {
  const { runs, seconds, profile, onStep } = options;
  const measure: Record<string, () => Promise<Measured>> = {
    db: () => runDb(names, { runs, seconds: Math.min(seconds, 1), profile, onStep }),
    micro: () => runMicro(names, { runs, onStep }),
    io: () => runIo(names, { runs, seconds: Math.min(seconds, 2), profile, onStep }),
    stall: runStall,
  };
  const measured = await (measure[suite.name] as () => Promise<Measured>)();
  return tableOf(suite.name, { ...measured, profile });
}

async function runStall(): Promise<Measured> {
  const { meanMs, p99Ms, failures, closedP99Ms } = await measureStalls({ besideClosed: true });
  const isRight = Math.abs(meanMs - 50) <= 2 && Math.abs(p99Ms - 475) <= 10 && failures === 0;
  return {
    about:
      "Correct: a mean of 50 ms and a p99 of 475 ms. A closed loop sees each stall only once (coordinated omission).",
    rows: [
      {
        scenario: "open loop",
        figures: { meanMs: intervalOf([meanMs]), p99Ms: intervalOf([p99Ms]) },
      },
      { scenario: "closed loop", figures: { p99Ms: intervalOf([closedP99Ms ?? Number.NaN]) } },
    ],
    postgres: "not used",
    doubts: isRight ? [] : ["the generator omitted delays, or the machine was busy"],
  };
}

/**
 * Writes the recording of each run (30 bytes per request, the format of `load/run.ts`) and the first
 * run as a trace for --replay.
 */
function writeRaw(directory: string, { operation, each, asked }: RawRuns) {
  mkdirSync(directory, { recursive: true });
  for (const [run, { recording }] of each.entries()) {
    writeFileSync(join(directory, `${operation}-${run + 1}.bin`), toBytes(recording));
  }
  const due = each[0]?.recording.due ?? new Float64Array();
  const trace = Array.from(
    due,
    (dueMs, n) => ({ dueMs: Math.round(dueMs * 1000) / 1000, ...asked[n] }) as TraceLine,
  );
  writeFileSync(join(directory, `${operation}.ndjson`), traceText(trace));
}
