import { createProgress } from "#lib/command-line/progress.ts";
import { OperatorError } from "#lib/errors.ts";
import { type ResultOptions, writeResult } from "../figures/results.ts";
import { tableMarkdown, tableOf } from "../figures/table.ts";
import { measureGenerator } from "../measure/generator-capacity.ts";
import { type SweepOptions, sweep, sweepMarkdown } from "../measure/sweep.ts";
import { chooseScenarios } from "../suites/suites.ts";
import { loadScenariosOf } from "./run-suite.ts";

/** Finds the knee of a scenario and writes the curve. Returns whether the result is valid. */
export async function sweepCommand(
  word: string,
  options: Omit<SweepOptions, "onStep"> & ResultOptions,
) {
  const choice = chooseScenarios([word]);
  const [scenario, ...others] = loadScenariosOf(choice);
  if (!scenario || others.length > 0) {
    throw new OperatorError(
      `${word} is not one scenario of http or mix, such as http/ListExercises`,
      2,
    );
  }
  if (scenario.wave)
    throw new OperatorError(
      `${scenario.operation} is a single wave of requests and has no rate to sweep`,
      2,
    );
  const progress = createProgress();
  const result = await sweep(scenario, { ...options, onStep: progress.step });
  progress.done();
  writeResult(
    `sweep-${scenario.operation}-${options.profile}`,
    result,
    sweepMarkdown(result),
    options,
  );
  return result.greatestRate !== null && result.doubts.length === 0;
}

/** Measures the capacity of the generator. Returns whether it is sufficient for the suites. */
export async function generatorCommand({
  runs,
  seconds,
  ...options
}: { runs: number; seconds: number } & ResultOptions) {
  const progress = createProgress();
  const measured = await measureGenerator(runs, seconds, progress.step);
  progress.done();
  const result = tableOf("generator", { ...measured, profile: "native" });
  writeResult("generator", result, tableMarkdown(result), options);
  return result.doubts.length === 0;
}
