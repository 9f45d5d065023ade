import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import type { CAC } from "cac";
import { OperatorError } from "#lib/errors.ts";
import {
  checkComparable,
  compareRuns,
  comparisonPage,
  comparisonText,
} from "../report/compare-runs.ts";
import { reportHtml } from "../report/page.ts";
import { standalonePlots } from "../report/standalone.ts";
import { directoryOf, readEvidence, readRun, readTable } from "../report/stored.ts";
import { tablePage } from "../report/table-page.ts";

type ReportOptions = {
  compare?: boolean;
  force?: boolean;
  plots?: string;
  out?: string;
  json?: boolean;
};

/** The command that renders existing results. */
export function registerReport(cli: CAC): void {
  cli
    .command(
      "report <result> [...more]",
      "Render the report of a run, with sweeps and version comparisons if they are given",
    )
    .option("--compare", "Compare two runs of the same machine and disk profile")
    .option("--force", "Compare runs of different machines or disk profiles anyway")
    .option(
      "--plots <directory>",
      "Write the latency breakdown and the percentiles as SVG pictures to this directory instead",
    )
    .option("--out <directory>", "Output directory (default: that of the later result)")
    .option("--json", "Print the figures of --compare, or the written files, as JSON")
    .example((name) => `  $ ${name} report bench/results/<run> bench/results/<sweep>`)
    .example((name) => `  $ ${name} report --compare bench/results/<before> bench/results/<after>`)
    .action(
      (first: string, more: string[], { compare, force, plots, out, json }: ReportOptions) => {
        const paths = [first, ...more];
        const directory = String(plots ?? out ?? directoryOf(compare ? (more[0] ?? first) : first));
        const tableResult = compare || plots || paths.length > 1 ? undefined : readTable(first);
        const files = compare
          ? comparisonFiles(paths, force === true, json === true)
          : plots
            ? standalonePlots(readRun(first))
            : {
                "report.html": tableResult
                  ? tablePage(tableResult)
                  : reportHtml(readEvidence(paths)),
              };
        mkdirSync(directory, { recursive: true });
        const written = Object.entries(files).map(([name, text]) => {
          writeFileSync(join(directory, name), text);
          return join(directory, name);
        });
        if (!json) console.log(`Written: ${written.join(", ")}`);
        else if (!compare) console.log(JSON.stringify({ written }));
      },
    );
}

function comparisonFiles(
  paths: string[],
  isForced: boolean,
  isJson: boolean,
): Record<string, string> {
  const [before, after, ...others] = paths.map(readRun);
  if (!before || !after || others.length > 0)
    throw new OperatorError("--compare takes two runs", 2);
  if (!isForced) checkComparable(before, after);
  const comparisons = compareRuns(before, after);
  console.log(isJson ? JSON.stringify(comparisons, null, 2) : `${comparisonText(comparisons)}\n`);
  return { "comparison.html": comparisonPage(before, after, comparisons) };
}
