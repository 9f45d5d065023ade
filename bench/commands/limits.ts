import type { CAC } from "cac";
import { PROFILE_NAMES, profileNamed } from "../disk/profiles.ts";
import { parseObjective } from "../measure/knee.ts";
import { type Options, positive, resultOptionsOf } from "./options.ts";
import { generatorCommand, sweepCommand } from "./run-limits.ts";

/** Commands that find a maximum rate. */
export function registerLimits(cli: CAC): void {
  cli
    .command(
      "sweep <scenario>",
      "Find the maximum rate at which a scenario of http or mix meets a latency objective",
    )
    .option(
      "--slo <objective>",
      "The latency objective: mean, p50, p90 or p99, and its limit in ms",
      {
        default: "p99=50ms",
      },
    )
    .option(
      "--from <rate>",
      "The first rate in requests per second; doubled or halved from there",
      {
        default: 50,
      },
    )
    .option("--to <rate>", "The highest rate to try", { default: 12_800 })
    .option(
      "--precision <ratio>",
      "Stop when the two rates around the knee differ by less than this ratio",
      {
        default: 1.1,
      },
    )
    .option(
      "--seconds <s>",
      "Minimum length of a run in seconds; longer if the objective needs more requests",
      { default: 4 },
    )
    .option("--profile <name>", PROFILE_NAMES.join(", "), { default: "native" })
    .option("--out <directory>", "Output directory (default: in bench/results)")
    .option("--json", "Print run.json instead of the summary")
    .example((name) => `  $ ${name} sweep http/ListExercises --slo p99=50ms`)
    .action(async (scenario: string, options: Options) => {
      const isValid = await sweepCommand(scenario, {
        objective: parseObjective(String(options.slo)),
        search: {
          from: positive("--from", options.from),
          max: positive("--to", options.to),
          precision: positive("--precision", options.precision, 1.01),
        },
        seconds: positive("--seconds", options.seconds),
        profile: profileNamed(String(options.profile)),
        ...resultOptionsOf(options),
      });
      process.exit(isValid ? 0 : 2);
    });
  cli
    .command(
      "generator",
      "Measure the capacity of the load generator on one core, and its send delay",
    )
    .option("--runs <n>", "Runs of each measurement; intervals are computed over runs", {
      default: 3,
    })
    .option("--seconds <s>", "Minimum length of a run in seconds", { default: 4 })
    .option("--out <directory>", "Output directory (default: in bench/results)")
    .option("--json", "Print run.json instead of the summary")
    .action(async (options: Options) => {
      const isValid = await generatorCommand({
        runs: Math.ceil(positive("--runs", options.runs)),
        seconds: positive("--seconds", options.seconds),
        ...resultOptionsOf(options),
      });
      process.exit(isValid ? 0 : 2);
    });
}
