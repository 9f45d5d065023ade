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

/** What says whether a change may go in, and what became of those before it. */
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
      "Whether the tree as it stands may go in: exact counts, CPU beside a base, latency on a known host",
    )
    .option("--tiers <names>", `Only these of ${TIERS.join(",")}`, { default: TIERS.join(",") })
    .option("--base <ref>", "What CPU is measured against; where the branch left main unless said")
    .option("--most-pairs <n>", "Of the comparison of CPU: 9, 15, 21, 27 or 33", { default: 21 })
    .option("--zone <percent>", "A smaller difference of CPU counts as none", { default: 2 })
    .option("--seed <seed>", "Of the order of runs; random unless said")
    .option(
      "--write-baseline",
      "Instead: measure this host's latencies, and write them to bench/baselines for review unless a run is in doubt",
    )
    .option("--json", "Print JSON")
    .example((name) => `  $ ${name} gate --tiers counts,cpu`)
    .example((name) => `  $ ${name} gate --write-baseline`)
    .action(async ({ tiers, base, writeBaseline: isBaseline, json, ...given }: Given) => {
      const onStep = (step: string) => void process.stderr.write(`${step}\n`);
      if (isBaseline) process.exit(await baselineCommand(onStep, json === true));
      const names = String(tiers).split(",");
      const asked = TIERS.filter((tier) => names.includes(tier));
      if (asked.length !== names.length)
        throw new OperatorError(`--tiers are some of ${TIERS.join(",")}`, 2);
      const options = {
        tiers: asked,
        base: base ? String(base) : defaultBase(),
        ab: optionsOf(given),
      };
      const results = await runGate(options, onStep);
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
    .command("history", "Every figure over time, per host and suite, and where it changed")
    .option("--results <directory>", "Where results are", { default: RESULTS })
    .option("--host <text>", "Only hosts whose name has it")
    .option("--metric <text>", "Only figures whose name has it")
    .option("--changed", "Only what changed")
    .option("--json", "Print JSON, every point included")
    .action(({ results, host = "", metric = "", changed, json }: Given) => {
      const series = readHistory(String(results))
        .filter((one) => one.host.includes(String(host)) && one.metric.includes(String(metric)))
        .filter(({ changes }) => !changed || changes.length > 0);
      console.log(json ? JSON.stringify(series, null, 2) : historyTable(series));
    });
}

function registerSessions(cli: CAC) {
  cli
    .command(
      "ab-sessions",
      "What ab is worth: sessions that compare HEAD with itself, among sessions with a planted 5 % of CPU",
    )
    .option("--aa <count>", "Sessions with nothing to find", { default: 40 })
    .option("--planted <count>", "Sessions with a planted fault", { default: 20 })
    .option("--operation <name>", "The operation that is asked for", { default: "GetWorkout" })
    .option(
      "--most-pairs <n>",
      "Pairs after which an undecided session ends: 9, 15, 21, 27 or 33",
      { default: 21 },
    )
    .option("--seed <seed>", "Of the first session; each later one has the next", { default: 1 })
    .option(
      "--out <directory>",
      "Where to write, and to go on from; a directory of bench/results unless said",
    )
    .option("--json", "Print JSON")
    .action(async ({ aa, planted, operation, mostPairs, seed, out, json }: Given) => {
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
      "Whether one version costs more than another: CPU per request of two git refs (. is the tree as it stands)",
    )
    .option("--suite <name>", "Where the operations are; those of a usual day unless named", {
      default: "http",
    })
    .option("--sequential", "One after the other instead of at once: latency too, and less exact")
    .option("--zone <percent>", "A smaller difference counts as none", { default: 2 })
    .option(
      "--most-pairs <n>",
      "Pairs after which an undecided session ends: 9, 15, 21, 27 or 33",
      { default: 21 },
    )
    .option("--seconds <s>", "Length of a run; 0.7, or 3 with --sequential")
    .option("--rate <rate>", "Requests a second, with --sequential", { default: 100 })
    .option("--seed <seed>", "Of the order of runs; random unless said")
    .option("--out <directory>", "Also write ab.json there")
    .option("--json", "Print JSON, every pair included")
    .example((name) => `  $ ${name} ab main HEAD LogSet GetWorkout`)
    .action(async (before: string, after: string, operations: string[], given: Given) => {
      if (given.suite !== "http")
        throw new OperatorError(`There is no suite ${given.suite}; there is http`, 2);
      const options = optionsOf(given);
      process.stderr.write(`seed ${options.seed}\n`);
      const result = await compareVersions([before, after], operations, options);
      if (given.out) writeAbResult(String(given.out), result);
      if (given.json) console.log(JSON.stringify(result, null, 2));
      else printAbResult(result);
      process.exit(EXIT_CODES[result.verdict]);
    });
}

type Given = Record<string, string | number | boolean | undefined>;

function optionsOf({ sequential, zone, mostPairs, seconds, rate, seed }: Given): AbOptions {
  return {
    mode: sequential ? "sequential" : "interleaved",
    zone: Number(zone) / 100,
    mostPairs: Number(mostPairs),
    seed: seed === undefined ? 1 + Math.floor(Math.random() * 1e6) : Number(seed),
    runMs: Number(seconds ?? (sequential ? 3 : 0.7)) * 1000,
    rate: Number(rate ?? 100),
  };
}
