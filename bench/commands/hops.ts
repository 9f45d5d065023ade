import type { CAC } from "cac";
import { createProgress } from "#lib/command-line/progress.ts";
import { compareRequestPaths } from "../compare/path-comparison.ts";
import { pathComparisonMarkdown } from "../compare/path-summary.ts";
import { writeResult } from "../figures/results.ts";
import { type Given, positive } from "./options.ts";

/** What the way to the database costs. */
export function registerHops(cli: CAC): void {
  cli
    .command(
      "hops",
      "Unix sockets beside loopback TCP, two workers beside one, a pooler beside none: CPU and requests a second",
    )
    .option("--pairs <n>", "Rounds over all paths, each with fresh processes", { default: 6 })
    .option("--seconds <s>", "Length of a run", { default: 0.5 })
    .option("--seed <seed>", "Of the order; random unless said")
    .option("--write", "Also write it to a directory of bench/results")
    .option("--json", "Print JSON")
    .action(async (given: Given) => {
      const progress = createProgress();
      const result = await compareRequestPaths({
        pairs: Math.ceil(positive("--pairs", given.pairs)),
        seconds: positive("--seconds", given.seconds),
        seed:
          given.seed === undefined
            ? Math.floor(Math.random() * 2 ** 31)
            : positive("--seed", given.seed),
        onStep: progress.step,
      });
      progress.done();
      const summary = pathComparisonMarkdown(result);
      if (given.write === true)
        writeResult("hops", result, summary, { isJson: given.json === true });
      else console.log(given.json === true ? JSON.stringify(result) : summary);
    });
}
