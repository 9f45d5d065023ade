import { OperatorError } from "#lib/errors.ts";
import { figure } from "../figures/format.ts";
import { ratioOfSamples } from "../figures/statistics.ts";
import { hostName } from "../hosts/fingerprint.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { documentHtml } from "./page.ts";
import { figureHtml } from "./plots/figure.ts";
import { type Ratio, ratiosDrawing } from "./plots/ratios.ts";

/** The mean latency of an operation in two results, in ms, and the ratio after / before. */
export type Comparison = Ratio & { before: number; after: number; isValid: boolean };

/** Throws OperatorError if the machine, the disk profile or the state of the cache differs. */
export function checkComparable(before: RunResult, after: RunResult): void {
  const traits = ({ host, profile, isCold }: RunResult) => ({
    host: hostName(host),
    disk: profile,
    cache: isCold ? "cold" : "warm",
  });
  const afterTraits = Object.values(traits(after));
  const differences = Object.entries(traits(before)).flatMap(([trait, value], n) =>
    value === afterTraits[n] ? [] : [`${trait}: ${value} and ${afterTraits[n]}`],
  );
  if (differences.length > 0) {
    throw new OperatorError(
      `These runs cannot be compared (${differences.join("; ")}); --force compares them anyway`,
      2,
    );
  }
}

/**
 * Compares the operations that both results contain, in the order of `before`. The sample is the
 * run, so a few runs give wide intervals.
 */
export function compareRuns(before: RunResult, after: RunResult): Comparison[] {
  return before.results.flatMap((earlier) => {
    const later = after.results.find(({ operation }) => operation === earlier.operation);
    if (!later) return [];
    const meansOf = ({ runs }: typeof later) => runs.map(({ meanMs }) => meanMs);
    const { median: ratio, low, high } = ratioOfSamples(meansOf(later), meansOf(earlier));
    return [
      {
        name: earlier.operation,
        ratio,
        low,
        high,
        before: earlier.figures.responseMs.mean,
        after: later.figures.responseMs.mean,
        isValid: earlier.doubts.length + later.doubts.length === 0,
      },
    ];
  });
}

const HEAD = ["before, ms", "after, ms", "after / before", "95 % interval", "valid"];

const cellsOf = ({ name, before, after, ratio, low, high, isValid }: Comparison) => [
  name,
  figure(before),
  figure(after),
  ratio.toFixed(3),
  `${low.toFixed(3)} to ${high.toFixed(3)}`,
  isValid ? "yes" : "no",
];

export const comparisonText = (comparisons: Comparison[]): string =>
  [["operation", ...HEAD], HEAD.map(() => "---").concat("---"), ...comparisons.map(cellsOf)]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");

/** Both runs on one page. */
export function comparisonPage(
  before: RunResult,
  after: RunResult,
  comparisons: Comparison[],
): string {
  const title = `${before.host.commit} and ${after.host.commit} under load`;
  const words = comparisons.map(({ name, ratio }) => `${name} ${ratio.toFixed(3)}`).join(", ");
  const commands = [...new Set([before, after].flatMap(({ host }) => commandText(host) ?? []))];
  return documentHtml(
    title,
    `<h1>${escaped(title)}</h1>
${figureHtml(
  {
    caption: "Mean latency, after / before, with its 95 % bootstrap interval over runs",
    alternative: `${words}.`,
  },
  ratiosDrawing(comparisons),
)}
${table("Mean latency of both", ["", ...HEAD], comparisons.map(cellsOf))}
<p class="dim">Runs made at different times also differ by the machine's other load. Use <code>./irontrack bench ab</code> to decide whether the code is slower.</p>
<h2>Before</h2>${machineHtml(before.host, before)}<h2>After</h2>${machineHtml(after.host, after)}
<h2>Reproduce</h2>${commands.map((command) => `<pre>${escaped(command)}</pre>`).join("")}`,
  );
}
