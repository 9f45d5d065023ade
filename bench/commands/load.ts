import { existsSync, readFileSync } from "node:fs";
import type { CAC } from "cac";
import { OperatorError } from "#lib/errors.ts";
import { PROFILE_NAMES, profileNamed } from "../disk/profiles.ts";
import { ARRIVAL_MODELS, type ArrivalModel } from "../load/arrivals.ts";
import { parseTrace } from "../load/trace.ts";
import { DEFAULT_RUN } from "../measure/load-plan.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { SUITES } from "../suites/suites.ts";
import { INTERMEDIARIES, parseThrough } from "../testbed/proxy-and-pooler.ts";
import { type Options, oneOf, positive, resultOptionsOf } from "./options.ts";
import { countOperations } from "./run-counts.ts";
import { runCommand } from "./run-suite.ts";

/** Commands that send requests to the application: exact counts, and load. */
export function registerLoad(cli: CAC): void {
  cli
    .command(
      "counts [...operations]",
      "Count statements, flushes, rows, pages and bytes per request: exact on any machine",
    )
    .option("--write", "Update bench/counts.json for review")
    .option("--json", "Print JSON")
    .action(async (operations: string[], { write, json }: { write?: boolean; json?: boolean }) => {
      const changed = await countOperations(operations, {
        write: write ?? false,
        isJson: json ?? false,
      });
      if (changed.length > 0)
        console.error(`Different from bench/counts.json: ${changed.join(", ")}`);
      process.exit(changed.length > 0 ? 1 : 0);
    });
  cli
    .command("list", "List every suite and its scenarios")
    .option("--json", "Print JSON")
    .action(({ json }: { json?: boolean }) => {
      if (json) return console.log(JSON.stringify(SUITES, null, 2));
      for (const { name, about, scenarios, usual } of SUITES) {
        console.log(`${name}: ${about}`);
        for (const scenario of scenarios) {
          const mark = usual.includes(scenario.name) ? "*" : " ";
          console.log(`  ${mark} ${name}/${scenario.name.padEnd(26)} ${scenario.about}`.trimEnd());
        }
      }
      console.log("* runs by default with the whole suite");
    });
  cli
    .command(
      "run <what> [...more]",
      "Measure the latency of a suite or of named scenarios (see list), and write a report",
    )
    .option("--arrivals <model>", `Arrival model: ${ARRIVAL_MODELS.join(", ")}`, {
      default: DEFAULT_RUN.model,
    })
    .option(
      "--rate <rate>",
      "Requests per second of each scenario; with a ramp, the initial rate",
      {
        default: DEFAULT_RUN.rate,
      },
    )
    .option("--to-rate <rate>", "Requests per second at the end of a ramp")
    .option(
      "--wave <n>",
      "Users who sign in at once in login-storm, in addition to reads at --rate (default: 150)",
    )
    .option("--seconds <s>", "Length of each run in seconds", { default: DEFAULT_RUN.seconds })
    .option("--runs <n>", "Runs of each scenario; intervals are computed over runs", {
      default: DEFAULT_RUN.runs,
    })
    .option("--warm-up <seconds>", "Maximum warm-up until latency settles; 0 for none", {
      default: DEFAULT_RUN.warmUpS.max,
    })
    .option("--profile <name>", PROFILE_NAMES.join(", "), { default: "native" })
    .option("--cold", "Start each operation with small shared buffers and an empty page cache")
    .option(
      "--through <what>",
      `Add components to the request path of http and mix; as in production: ${INTERMEDIARIES.join(",")}`,
    )
    .option("--all", "Run every scenario of the suite")
    .option("--raw", "Also write the due, send and response time of every request")
    .option(
      "--replay <file>",
      "Replay the requests that a run with --raw recorded (raw/*.ndjson), with their timing",
    )
    .option("--out <directory>", "Output directory (default: in bench/results)")
    .option("--json", "Print run.json instead of the summary")
    .example((name) => `  $ ${name} run http`)
    .example((name) => `  $ ${name} run LogSet --rate 50 --profile hdd`)
    .example((name) => `  $ ${name} run http LogSet --through proxy,pooler`)
    .example((name) => `  $ ${name} run mix/login-storm --rate 40 --wave 300`)
    .action(async (what: string, more: string[], options: Options) => {
      const isValid = await runCommand([what, ...more], {
        ...runOptionsOf(options),
        all: options.all === true,
        isRaw: options.raw === true,
        ...(options.replay ? { trace: readTraceFile(String(options.replay)) } : {}),
        ...resultOptionsOf(options),
      });
      // 2: there are figures, but with validity warnings.
      process.exit(isValid ? 0 : 2);
    });
}

function readTraceFile(path: string) {
  if (!existsSync(path)) throw new OperatorError(`There is no trace ${path}`, 2);
  const operations = HTTP_SCENARIOS.map(({ operation }) => operation);
  return parseTrace(readFileSync(path, "utf8"), operations);
}

function runOptionsOf(options: Options) {
  const maxWarmUpS = positive("--warm-up", options.warmUp, 0);
  return {
    rate: positive("--rate", options.rate),
    ...(options.toRate === undefined ? {} : { toRate: positive("--to-rate", options.toRate) }),
    ...(options.wave === undefined ? {} : { wave: Math.ceil(positive("--wave", options.wave)) }),
    model: oneOf<ArrivalModel>("--arrivals", options.arrivals, ARRIVAL_MODELS),
    seconds: positive("--seconds", options.seconds),
    runs: Math.ceil(positive("--runs", options.runs)),
    warmUpS: { min: Math.min(DEFAULT_RUN.warmUpS.min, maxWarmUpS), max: maxWarmUpS },
    profile: profileNamed(String(options.profile)),
    isCold: options.cold === true,
    through: parseThrough(options.through),
  };
}
