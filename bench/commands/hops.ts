import type { CAC } from "cac";
import { createProgress } from "#lib/command-line/progress.ts";
import { compareRequestPaths } from "../compare/path-comparison.ts";
import { pathComparisonMarkdown } from "../compare/path-summary.ts";
import { writeResult } from "../figures/results.ts";
import { type Options, positive } from "./options.ts";

/** The command that measures the cost of the request path. */
export function registerHops(cli: CAC): void {
  cli
    .command(
      "hops",
      "Compare request paths by CPU and throughput: Unix sockets or TCP, one or two workers, with or without a pooler",
    )
    .option("--pairs <n>", "Rounds over all paths, each with fresh processes", { default: 6 })
    .option("--seconds <s>", "Length of a run in seconds", { default: 0.5 })
    .option("--seed <seed>", "Seed of the order of paths (default: random)")
    .option("--write", "Also write the result to bench/results")
    .option("--json", "Print JSON")
    .action(async (options: Options) => {
      const progress = createProgress();
      const result = await compareRequestPaths({
        pairs: Math.ceil(positive("--pairs", options.pairs)),
        seconds: positive("--seconds", options.seconds),
        seed:
          options.seed === undefined
            ? Math.floor(Math.random() * 2 ** 31)
            : positive("--seed", options.seed),
        onStep: progress.step,
      });
      progress.done();
      const summary = pathComparisonMarkdown(result);
      if (options.write === true)
        writeResult("hops", result, summary, { isJson: options.json === true });
      else console.log(options.json === true ? JSON.stringify(result) : summary);
    });
}
