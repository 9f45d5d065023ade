import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { HDD } from "./disk/spindle.ts";
import { intervalOf } from "./interval.ts";
import { toBytes } from "./load/run.ts";
import type { OneRun } from "./load/runs.ts";
import { reportHtml, reportMarkdown } from "./report/report.ts";
import { runDb } from "./run-db.ts";
import { type RunOptions, runScenarios } from "./run-http.ts";
import { HTTP_SCENARIOS } from "./suites/http.ts";
import { runIo } from "./suites/io.ts";
import { runMicro } from "./suites/micro.ts";
import { MIX_SCENARIOS } from "./suites/mix.ts";
import { measureStalls } from "./suites/stall.ts";
import { type Choice, chooseScenarios } from "./suites/suites.ts";
import { type Measured, type TableResult, tableMarkdown, tableOf } from "./table.ts";

export type CommandOptions = Omit<RunOptions, "onStep" | "onRaw"> & {
  /** Where to write; a directory of `bench/results` unless said. */
  out?: string;
  /** Every scenario of the suite, not the usual ones only. */
  all: boolean;
  /** Also writes when each request was due, sent and answered. */
  isRaw: boolean;
  isJson: boolean;
};

const RESULTS = join(import.meta.dir, "results");

/**
 * Runs the scenarios that `words` choose and writes what came of it: all figures as run.json, a summary, which is printed
 * too, and a page for what was put under load. Returns whether the figures may be believed.
 */
export async function runCommand(words: string[], options: CommandOptions): Promise<boolean> {
  const choice = chooseScenarios(words, options);
  const name = choice.suite.name;
  const steps = { onStep: (step: string) => void process.stderr.write(`\r\x1b[K${step}`) };
  const isLoad = name === "http" || name === "mix";
  const raw: { operation: string; each: OneRun[]; operations: string[] }[] = [];
  const onRaw: RunOptions["onRaw"] = (operation, each, operations) => void raw.push({ operation, each, operations });
  const result = isLoad
    ? await runScenarios(scenariosOf(choice), { ...options, ...steps, ...(options.isRaw ? { onRaw } : {}) })
    : await runTable(choice, { ...options, ...steps });
  process.stderr.write("\r\x1b[K");
  const { host } = result;
  const directory = options.out ?? join(RESULTS, `${host.at.slice(0, 10)}-${host.commit}-${name}-${options.profile}`);
  const summary = "results" in result ? reportMarkdown(result) : tableMarkdown(result);
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), `${JSON.stringify(result)}\n`);
  writeFileSync(join(directory, "summary.md"), summary);
  if ("results" in result) writeFileSync(join(directory, "report.html"), reportHtml(result));
  for (const one of raw) writeRaw(join(directory, "raw"), one);
  console.log(options.isJson ? JSON.stringify(result) : `${summary}\nWritten to ${directory}`);
  const doubts = "results" in result ? result.results.flatMap((one) => one.doubts) : result.doubts;
  return doubts.length === 0;
}

function scenariosOf({ names }: Choice) {
  return [...HTTP_SCENARIOS, ...MIX_SCENARIOS].filter(({ operation }) => names.includes(operation));
}

type TableOptions = CommandOptions & { onStep(step: string): void };

async function runTable({ suite, names }: Choice, options: TableOptions): Promise<TableResult> {
  const { runs, seconds, profile, onStep } = options;
  const disk = profile === "hdd" ? { disk: HDD } : {};
  const measure: Record<string, () => Promise<Measured>> = {
    db: () => runDb(names, { runs, seconds: Math.min(seconds, 1), profile, onStep }),
    micro: () => runMicro(names, { runs, onStep }),
    io: () => runIo(names, { runs, seconds: Math.min(seconds, 2), ...disk, onStep }),
    stall: stalls,
  };
  const measured = await (measure[suite.name] as () => Promise<Measured>)();
  return tableOf(suite.name, { ...measured, profile });
}

async function stalls(): Promise<Measured> {
  const { meanMs, p99Ms, failures, closedP99Ms = Number.NaN } = await measureStalls({ besideClosed: true });
  const isRight = Math.abs(meanMs - 50) <= 2 && Math.abs(p99Ms - 475) <= 10 && failures === 0;
  return {
    about: "A mean of 50 ms and a 99th percentile of 475 are right; a closed loop sees each stall once.",
    rows: [
      { scenario: "open loop", figures: { meanMs: intervalOf([meanMs]), p99Ms: intervalOf([p99Ms]) } },
      { scenario: "closed loop", figures: { p99Ms: intervalOf([closedP99Ms]) } },
    ],
    postgres: "not in the path",
    doubts: isRight ? [] : ["the generator was fooled, or the machine was not free"],
  };
}

/** Each run as `load/run.ts` keeps it (30 bytes a request), and which operation each request of all runs was. */
function writeRaw(
  directory: string,
  { operation, each, operations }: { operation: string; each: OneRun[]; operations: string[] },
) {
  mkdirSync(directory, { recursive: true });
  for (const [run, { recording }] of each.entries()) {
    writeFileSync(join(directory, `${operation}-${run + 1}.bin`), toBytes(recording));
  }
  if (new Set(operations).size > 1)
    writeFileSync(join(directory, `${operation}-operations.json`), JSON.stringify(operations));
}
