import { existsSync, mkdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CAC } from "cac";
import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { fingerprint } from "../hosts/fingerprint.ts";
import { type Frame, parseProfile, treeOf } from "../measure/cpu-profile.ts";
import { profileOperation } from "../measure/profile-operation.ts";
import { flameSvg } from "../report/flame.ts";
import { chooseScenarios } from "../suites/suites.ts";
import { type Options, positive } from "./options.ts";
import { loadScenariosOf } from "./run-suite.ts";

const ROOT = join(import.meta.dir, "../..");

/** CPU profiles; profiling slows the server down, so it is never part of a measured run. */
export function registerProfile(cli: CAC): void {
  cli
    .command(
      "profile <scenario>",
      "Profile the server's CPU on a scenario of http or mix, and draw a flame graph",
    )
    .option("--rate <rate>", "Requests per second", { default: 200 })
    .option("--seconds <s>", "Length of the profile in seconds", { default: 10 })
    .option(
      "--against <profile>",
      "Show the difference from an earlier .cpuprofile: red for more time, blue for less",
    )
    .option("--out <directory>", "Output directory", { default: ".irontrack/profiles" })
    .option("--json", "Print the written files as JSON")
    .example((name) => `  $ ${name} profile LogSet`)
    .action(async (word: string, options: Options) => {
      const [scenario, ...others] = loadScenariosOf(chooseScenarios([word]));
      if (!scenario || others.length > 0)
        throw new OperatorError(`${word} is not one scenario of http or mix`, 2);
      if (scenario.wave)
        throw new OperatorError(
          `${word} is a single wave of requests: profile AccountLogin instead`,
          2,
        );
      const against = options.against === undefined ? undefined : readTree(String(options.against));
      const progress = createProgress();
      const rate = positive("--rate", options.rate);
      const seconds = positive("--seconds", options.seconds);
      const profile = await profileOperation(scenario, { rate, seconds, onStep: progress.step });
      progress.done();
      const { commit, isDirty } = fingerprint("");
      const version = `${commit}${isDirty ? "+" : ""}`;
      const comparison = against ? `, compared with ${options.against}` : "";
      const title = `${scenario.operation} at ${version}, ${rate}/s for ${seconds} s${comparison}`;
      const name = join(
        String(options.out),
        `${scenario.operation}-${version.replace("+", "-changed")}`,
      );
      mkdirSync(String(options.out), { recursive: true });
      writeFileSync(`${name}.cpuprofile`, JSON.stringify(profile));
      writeFileSync(`${name}.svg`, flameSvg(treeOf(profile, ROOT), title, against));
      const written = [`${name}.cpuprofile`, `${name}.svg`];
      console.log(
        options.json
          ? JSON.stringify({ samples: profile.samples.length, written })
          : written.join("\n"),
      );
    });
}

function readTree(file: string): Frame {
  if (!existsSync(file)) throw new OperatorError(`There is no profile ${file}`, 2);
  return treeOf(parseProfile(readFileSync(file, "utf8"), file), ROOT);
}
