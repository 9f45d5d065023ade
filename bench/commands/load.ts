import { existsSync, readFileSync } from "node:fs";
import type { CAC } from "cac";
import { OperatorError } from "#lib/errors.ts";
import { PROFILE_NAMES, profileNamed } from "../disk/profiles.ts";
import { ARRIVAL_MODELS, type ArrivalModel } from "../load/arrivals.ts";
import { readTrace } from "../load/trace.ts";
import { USUAL_RUN } from "../measure/load-plan.ts";
import { HTTP_SCENARIOS } from "../suites/http.ts";
import { SUITES } from "../suites/suites.ts";
import { BETWEEN, readThrough } from "../testbed/proxy-and-pooler.ts";
import { type Given, oneOf, positive, resultOptionsOf } from "./options.ts";
import { countOperations } from "./run-counts.ts";
import { runCommand } from "./run-suite.ts";

/** What asks the application over its socket: exact counts, and load. */
export function registerLoad(cli: CAC): void {
  cli
    .command(
      "counts [...operations]",
      "Statements and waits for the disk of a request of each operation: exact anywhere",
    )
    .option("--write", "Write bench/counts.json anew, for review")
    .option("--json", "Print JSON")
    .action(async (operations: string[], { write, json }: { write?: boolean; json?: boolean }) => {
      const others = await countOperations(operations, {
        write: write ?? false,
        isJson: json ?? false,
      });
      if (others.length > 0)
        console.error(`Other than bench/counts.json says: ${others.join(", ")}`);
      process.exit(others.length > 0 ? 1 : 0);
    });
  cli
    .command("list", "Every suite and its scenarios")
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
      console.log("* is part of a run of the whole suite");
    });
  cli
    .command("run <what> [...more]", "Run a suite, or scenarios of it by name: see list")
    .option("--arrivals <model>", `How requests come: ${ARRIVAL_MODELS.join(", ")}`, {
      default: USUAL_RUN.model,
    })
    .option("--rate <rate>", "Requests a second of each scenario; of a ramp, at its beginning", {
      default: USUAL_RUN.rate,
    })
    .option("--to-rate <rate>", "Requests a second at the end of a ramp")
    .option(
      "--wave <n>",
      "People who sign in at once in login-storm, beside those who read at --rate; 150 unless said",
    )
    .option("--seconds <s>", "Length of each run", { default: USUAL_RUN.seconds })
    .option("--runs <n>", "Runs of each scenario; intervals are over them", {
      default: USUAL_RUN.runs,
    })
    .option("--warm-up <seconds>", "At most so long until responses settle; 0: none", {
      default: USUAL_RUN.warmUpS.most,
    })
    .option("--profile <name>", PROFILE_NAMES.join(", "), { default: "native" })
    .option(
      "--cold",
      "Begin each operation with few buffers and nothing of the database in the page cache",
    )
    .option(
      "--through <what>",
      `What else is in the path of http and mix: ${BETWEEN.join(",")} is production's`,
    )
    .option("--all", "Every scenario of the suite")
    .option("--raw", "Also write when each request was due, sent and answered")
    .option(
      "--replay <file>",
      "Ask what a run with --raw has recorded (raw/*.ndjson) again, at its times: run mix --replay …",
    )
    .option("--out <directory>", "Where to write; a directory of bench/results unless said")
    .option("--json", "Print run.json instead of the summary")
    .example((name) => `  $ ${name} run http`)
    .example((name) => `  $ ${name} run LogSet --rate 50 --profile hdd`)
    .example((name) => `  $ ${name} run http LogSet --through proxy,pooler`)
    .example((name) => `  $ ${name} run mix/login-storm --rate 40 --wave 300`)
    .action(async (what: string, more: string[], given: Given) => {
      const isBelievable = await runCommand([what, ...more], {
        ...runOptionsOf(given),
        all: given.all === true,
        isRaw: given.raw === true,
        ...(given.replay ? { trace: readTraceFile(String(given.replay)) } : {}),
        ...resultOptionsOf(given),
      });
      // 2: there are figures, and they are not to be believed.
      process.exit(isBelievable ? 0 : 2);
    });
}

function readTraceFile(path: string) {
  if (!existsSync(path)) throw new OperatorError(`There is no trace ${path}`, 2);
  const operations = HTTP_SCENARIOS.map(({ operation }) => operation);
  return readTrace(readFileSync(path, "utf8"), operations);
}

function runOptionsOf(given: Given) {
  const most = positive("--warm-up", given.warmUp, 0);
  return {
    rate: positive("--rate", given.rate),
    ...(given.toRate === undefined ? {} : { toRate: positive("--to-rate", given.toRate) }),
    ...(given.wave === undefined ? {} : { wave: Math.ceil(positive("--wave", given.wave)) }),
    model: oneOf<ArrivalModel>("--arrivals", given.arrivals, ARRIVAL_MODELS),
    seconds: positive("--seconds", given.seconds),
    runs: Math.ceil(positive("--runs", given.runs)),
    warmUpS: { least: Math.min(USUAL_RUN.warmUpS.least, most), most },
    profile: profileNamed(String(given.profile)),
    isCold: given.cold === true,
    through: readThrough(given.through),
  };
}
