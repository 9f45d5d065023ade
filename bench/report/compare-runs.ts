import { OperatorError } from "#lib/errors.ts";
import { ratioOfSamples } from "../figures/statistics.ts";
import { hostName } from "../hosts/fingerprint.ts";
import type { RunResult } from "../measure/run-http.ts";
import { escaped, figure, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { documentHtml } from "./page.ts";
import { figureHtml } from "./plots/figure.ts";
import { type Ratio, ratiosDrawing } from "./plots/ratios.ts";

/** The mean response of an operation in two runs, in ms: after / before, over their runs. */
export type Compared = Ratio & { before: number; after: number; isBelieved: boolean };

/**
 * Throws OperatorError for runs that say nothing of one another: another machine, another disk,
 * cold beside warm.
 */
export function checkComparable(before: RunResult, after: RunResult): void {
  const traits = ({ host, profile, isCold }: RunResult) => ({
    host: hostName(host),
    disk: profile,
    cache: isCold ? "cold" : "warm",
  });
  const [ours, theirs] = [Object.entries(traits(before)), Object.values(traits(after))];
  const others = ours.flatMap(([what, is], n) =>
    is === theirs[n] ? [] : [`${what}: ${is} and ${theirs[n]}`],
  );
  if (others.length > 0) {
    throw new OperatorError(
      `These cannot be compared (${others.join("; ")}); --force does it all the same`,
      2,
    );
  }
}

/**
 * What both runs have, in the order of the first. Each run of an operation is one sample: of few,
 * intervals are wide.
 */
export function compareRuns(before: RunResult, after: RunResult): Compared[] {
  return before.results.flatMap((one) => {
    const other = after.results.find(({ operation }) => operation === one.operation);
    if (!other) return [];
    const meansOf = ({ runs }: typeof one) => runs.map(({ meanMs }) => meanMs);
    const { median: ratio, low, high } = ratioOfSamples(meansOf(other), meansOf(one));
    const means = { before: one.figures.responseMs.mean, after: other.figures.responseMs.mean };
    return [
      {
        name: one.operation,
        ratio,
        low,
        high,
        ...means,
        isBelieved: one.doubts.length + other.doubts.length === 0,
      },
    ];
  });
}

const HEAD = ["before, ms", "after, ms", "after / before", "95 % interval", "believed"];

const cellsOf = ({ name, before, after, ratio, low, high, isBelieved }: Compared) => [
  name,
  figure(before),
  figure(after),
  ratio.toFixed(3),
  `${low.toFixed(3)} to ${high.toFixed(3)}`,
  isBelieved ? "yes" : "no",
];

export const comparisonText = (compared: Compared[]): string =>
  [["operation", ...HEAD], HEAD.map(() => "---").concat("---"), ...compared.map(cellsOf)]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");

/** Both runs on one page. */
export function comparisonPage(before: RunResult, after: RunResult, compared: Compared[]): string {
  const title = `${before.host.commit} and ${after.host.commit} under load`;
  const words = compared.map(({ name, ratio }) => `${name} ${ratio.toFixed(3)}`).join(", ");
  const commands = [...new Set([before, after].flatMap(({ host }) => commandText(host) ?? []))];
  return documentHtml(
    title,
    `<h1>${escaped(title)}</h1>
${figureHtml(
  {
    caption: "Mean response, after / before, with its 95 % interval over runs",
    alternative: `${words}.`,
  },
  ratiosDrawing(compared),
)}
${table("Mean response of both", ["", ...HEAD], compared.map(cellsOf))}
<p class="dim">Runs of two days differ by what else the machine did: whether code is slower, <code>./irontrack bench ab</code> decides.</p>
<h2>Before</h2>${machineHtml(before.host, before)}<h2>After</h2>${machineHtml(after.host, after)}
<h2>To see it again</h2>${commands.map((command) => `<pre>${escaped(command)}</pre>`).join("")}`,
  );
}
