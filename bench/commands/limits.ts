import type { CAC } from "cac";
import { PROFILE_NAMES, profileNamed } from "../disk/profiles.ts";
import { readObjective } from "../measure/knee.ts";
import { type Given, positive, resultOptionsOf } from "./options.ts";
import { generatorCommand, sweepCommand } from "./run-limits.ts";

/**
 * How much of something can be done: the greatest rate of an operation, and of the generator
 * itself.
 */
export function registerLimits(cli: CAC): void {
  cli
    .command(
      "sweep <scenario>",
      "The greatest rate at which a scenario of http or mix keeps to an objective",
    )
    .option("--slo <objective>", "mean, p50, p90 or p99, and the most ms of it", {
      default: "p99=50ms",
    })
    .option("--from <rate>", "The first rate, requests a second; doubled or halved from there", {
      default: 50,
    })
    .option("--to <rate>", "The greatest rate to try", { default: 12_800 })
    .option("--precision <ratio>", "Of the two rates between which the knee is found", {
      default: 1.1,
    })
    .option(
      "--seconds <s>",
      "Least length of a run; longer where the objective needs more answers",
      { default: 4 },
    )
    .option("--profile <name>", PROFILE_NAMES.join(", "), { default: "native" })
    .option("--out <directory>", "Where to write; a directory of bench/results unless said")
    .option("--json", "Print run.json instead of the summary")
    .example((name) => `  $ ${name} sweep http/ListExercises --slo p99=50ms`)
    .action(async (scenario: string, given: Given) => {
      const isBelievable = await sweepCommand(scenario, {
        objective: readObjective(String(given.slo)),
        search: {
          from: positive("--from", given.from),
          most: positive("--to", given.to),
          precision: positive("--precision", given.precision, 1.01),
        },
        seconds: positive("--seconds", given.seconds),
        profile: profileNamed(String(given.profile)),
        ...resultOptionsOf(given),
      });
      process.exit(isBelievable ? 0 : 2);
    });
  cli
    .command(
      "generator",
      "What the load generator can do on one core, and how late it sends what is due",
    )
    .option("--runs <n>", "Runs of each; intervals are over them", { default: 3 })
    .option("--seconds <s>", "Least length of a run", { default: 4 })
    .option("--out <directory>", "Where to write; a directory of bench/results unless said")
    .option("--json", "Print run.json instead of the summary")
    .action(async (given: Given) => {
      const { runs, seconds } = given;
      const options = {
        runs: Math.ceil(positive("--runs", runs)),
        seconds: positive("--seconds", seconds),
      };
      process.exit((await generatorCommand({ ...options, ...resultOptionsOf(given) })) ? 0 : 2);
    });
}
