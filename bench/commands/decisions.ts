import type { CAC } from "cac";
import { OperatorError } from "#lib/errors.ts";
import { RESULTS } from "../figures/results.ts";
import {
  type AbOptions,
  compareVersions,
  EXIT_CODES,
  printAbResult,
  writeAbResult,
} from "../regressions/ab.ts";
import { defaultBase, runGate } from "../regressions/gate.ts";
import { historyTable, readHistory } from "../regressions/history.ts";
import { writeBaseline } from "../regressions/latency.ts";
import { runSessions } from "../regressions/sessions.ts";
import { summaryOf } from "../regressions/sessions-summary.ts";
import { exitCodeOf, TIERS, tierLines } from "../regressions/tiers.ts";
import type { Options } from "./options.ts";

/** Commands that detect performance regressions. */
export function registerDecisions(cli: CAC): void {
  registerAb(cli);
  registerSessions(cli);
  registerHistory(cli);
  registerGate(cli);
}

function registerGate(cli: CAC) {
  cli
    .command(
      "gate",
      "Regression gate for the working tree: exact counts, CPU compared with a base, latency compared with a baseline",
    )
    .option("--tiers <names>", `The tiers to run: ${TIERS.join(",")}`, { default: TIERS.join(",") })
    .option(
      "--base <ref>",
      "The ref to compare CPU with (default: where the branch left main; on main, HEAD, or HEAD~1 if nothing is uncommitted)",
    )
    .option("--most-pairs <n>", "Maximum pairs of the CPU comparison: 9, 15, 21, 27 or 33", {
      default: 21,
    })
    .option("--zone <percent>", "CPU differences below this are treated as equal", { default: 2 })
    .option("--seed <seed>", "Seed of the order of runs (default: random)")
    .option(
      "--write-baseline",
      "Measure the latency baseline of this host and write it to bench/baselines for review; nothing is written if there are validity warnings",
    )
    .option("--json", "Print JSON")
    .example((name) => `  $ ${name} gate --tiers counts,cpu`)
    .example((name) => `  $ ${name} gate --write-baseline`)
    .action(async ({ tiers, base, writeBaseline: isBaseline, json, ...options }: Options) => {
      const onStep = (step: string) => void process.stderr.write(`${step}\n`);
      if (isBaseline) process.exit(await baselineCommand(onStep, json === true));
      const names = String(tiers).split(",");
      const selected = TIERS.filter((tier) => names.includes(tier));
      if (selected.length !== names.length)
        throw new OperatorError(`--tiers takes a list of ${TIERS.join(",")}`, 2);
      const gate = {
        tiers: selected,
        base: String(base ?? defaultBase()),
        ab: abOptionsOf(options),
      };
      const results = await runGate(gate, onStep);
      console.log(json ? JSON.stringify(results, null, 2) : tierLines(results));
      process.exit(exitCodeOf(results));
    });
}

async function baselineCommand(onStep: (step: string) => void, isJson: boolean): Promise<0 | 2> {
  const written = await writeBaseline(onStep);
  if (isJson) console.log(JSON.stringify(written, null, 2));
  else
    console.log(
      "file" in written
        ? `Written to ${written.file}`
        : `Nothing written: ${written.doubts.join("; ")}`,
    );
  return "file" in written ? 0 : 2;
}

function registerHistory(cli: CAC) {
  cli
    .command("history", "List every metric over time by host and suite, with change points")
    .option("--results <directory>", "The directory of results", { default: RESULTS })
    .option("--host <text>", "Only hosts whose name contains this text")
    .option("--metric <text>", "Only metrics whose name contains this text")
    .option("--changed", "Only metrics with change points")
    .option("--json", "Print JSON with every point")
    .action(({ results, host = "", metric = "", changed, json }: Options) => {
      const series = readHistory(String(results))
        .filter((each) => each.host.includes(String(host)) && each.metric.includes(String(metric)))
        .filter(({ changes }) => !changed || changes.length > 0);
      console.log(json ? JSON.stringify(series, null, 2) : historyTable(series));
    });
}

function registerSessions(cli: CAC) {
  cli
    .command(
      "ab-sessions",
      "Measure the error rates of ab: A/A sessions of HEAD, and sessions with a planted CPU fault of 5 %",
    )
    .option("--aa <count>", "A/A sessions", { default: 40 })
    .option("--planted <count>", "Sessions with a planted fault", { default: 20 })
    .option("--operation <name>", "The operation to measure", { default: "GetWorkout" })
    .option(
      "--most-pairs <n>",
      "Pairs after which an inconclusive session ends: 9, 15, 21, 27 or 33",
      { default: 21 },
    )
    .option("--seed <seed>", "Seed of the first session; each later session adds 1", { default: 1 })
    .option(
      "--out <directory>",
      "Directory to write to and to resume from (default: in bench/results)",
    )
    .option("--json", "Print JSON")
    .action(async ({ aa, planted, operation, mostPairs, seed, out, json }: Options) => {
      const wanted = { same: Number(aa), planted: Number(planted) };
      const options = {
        wanted,
        operation: String(operation),
        mostPairs: Number(mostPairs),
        seed: Number(seed),
      };
      const sessions = await runSessions({ ...options, ...(out ? { out: String(out) } : {}) });
      console.log(json ? JSON.stringify(sessions, null, 2) : summaryOf(sessions));
    });
}

function registerAb(cli: CAC) {
  cli
    .command(
      "ab <before> <after> [...operations]",
      "Compare the CPU per request of two versions: git refs, or . for the working tree",
    )
    .option("--suite <name>", "The suite of the operations", {
      default: "http",
    })
    .option(
      "--sequential",
      "Measure one after the other instead of at the same time: also latency, but less precise",
    )
    .option("--zone <percent>", "Differences below this are treated as equal", { default: 2 })
    .option(
      "--most-pairs <n>",
      "Pairs after which an inconclusive session ends: 9, 15, 21, 27 or 33",
      { default: 21 },
    )
    .option("--seconds <s>", "Length of a run in seconds (default: 0.7; 3 with --sequential)")
    .option("--rate <rate>", "Requests per second with --sequential", { default: 100 })
    .option("--seed <seed>", "Seed of the order of runs (default: random)")
    .option("--out <directory>", "Also write ab.json to this directory")
    .option("--json", "Print JSON with every pair")
    .example((name) => `  $ ${name} ab main HEAD LogSet GetWorkout`)
    .action(async (before: string, after: string, operations: string[], options: Options) => {
      if (options.suite !== "http")
        throw new OperatorError(`There is no suite ${options.suite} for ab, only http`, 2);
      const abOptions = abOptionsOf(options);
      process.stderr.write(`seed ${abOptions.seed}\n`);
      const result = await compareVersions([before, after], operations, abOptions);
      if (options.out) writeAbResult(String(options.out), result);
      if (options.json) console.log(JSON.stringify(result, null, 2));
      else printAbResult(result);
      process.exit(EXIT_CODES[result.verdict]);
    });
}

function abOptionsOf({ sequential, zone, mostPairs, seconds, rate, seed }: Options): AbOptions {
  return {
    mode: sequential ? "sequential" : "interleaved",
    zone: Number(zone) / 100,
    mostPairs: Number(mostPairs),
    seed: seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : Number(seed),
    runMs: Number(seconds ?? (sequential ? 3 : 0.7)) * 1000,
    rate: Number(rate ?? 100),
  };
}
