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

/** What is made of results that are there already. */
export function registerReport(cli: CAC): void {
  cli
    .command(
      "report <result> [...more]",
      "The page of a run, anew, with sweeps and comparisons if they are named too",
    )
    .option("--compare", "Two runs beside each other, on one machine and one disk")
    .option("--force", "Also runs of two machines or disks")
    .option(
      "--plots <directory>",
      "Instead: write where the time went and the percentiles as pictures (SVG) there",
    )
    .option("--out <directory>", "Where to write; beside the (later) result unless said")
    .option("--json", "Print figures of --compare, or what was written, as JSON")
    .example((name) => `  $ ${name} report bench/results/<run> bench/results/<sweep>`)
    .example((name) => `  $ ${name} report --compare bench/results/<before> bench/results/<after>`)
    .action(
      (first: string, more: string[], { compare, force, plots, out, json }: ReportOptions) => {
        const paths = [first, ...more];
        const directory = String(plots ?? out ?? directoryOf(compare ? (more[0] ?? first) : first));
        const tabled = compare || plots || paths.length > 1 ? undefined : readTable(first);
        const files = compare
          ? comparisonFiles(paths, force === true, json === true)
          : plots
            ? standalonePlots(readRun(first))
            : { "report.html": tabled ? tablePage(tabled) : reportHtml(readEvidence(paths)) };
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
  const compared = compareRuns(before, after);
  console.log(isJson ? JSON.stringify(compared, null, 2) : `${comparisonText(compared)}\n`);
  return { "comparison.html": comparisonPage(before, after, compared) };
}
