import { estimateText } from "../figures/statistics.ts";
import { COMPONENTS } from "../testbed/request-path.ts";
import type { PathComparison } from "./path-comparison.ts";
import type { Cost } from "./path-cost.ts";

/** A table of ratios, and a table of each component's CPU. */
export function pathComparisonMarkdown({
  host,
  findings,
  notMeasured,
  ...run
}: PathComparison): string {
  const ratios = findings.map(({ about, operation, cpuRatio, rateRatio, a, b }) =>
    row([
      about,
      operation,
      estimateText(cpuRatio),
      estimateText(rateRatio),
      `${us(a.cpuUs)} / ${us(b.cpuUs)}`,
    ]),
  );
  const missing = notMeasured.map(({ about, why }) =>
    row([about, "", "not measured here", why, ""]),
  );
  const components = findings.map(({ about, operation, a, b }) =>
    row([
      about,
      operation,
      ...COMPONENTS.map(
        (component) => `${us(a.piecesUs[component])} / ${us(b.piecesUs[component])}`,
      ),
      rates(a, b),
    ]),
  );
  return `# hops at ${host.commit}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}, ${run.programs.join(", ")}. ${run.pairs} rounds over all
request paths in random order (seed ${run.seed}), fresh processes, ${run.seconds} s each, a closed loop of 16 connections; ${host.pins}; load
average ${run.loadAverage.toFixed(1)} when it began. CPU is that of proxy, workers, pooler and PostgreSQL. Ratios are medians with 95 %
bootstrap intervals over rounds; an interval that contains 1 shows no difference.

${table(["path / compared with", "operation", "CPU per request", "requests per second", "CPU, µs"], [...ratios, ...missing])}

Medians by component: µs of CPU per request, and requests per second:

${table(["path / compared with", "operation", ...COMPONENTS, "per second"], components)}
`;
}

const row = (cells: string[]) => `| ${cells.join(" | ")} |`;
const table = (head: string[], rows: string[]) =>
  [row(head), `|${"---|".repeat(head.length)}`, ...rows].join("\n");
const us = (value: number) => (value >= 100 ? value.toFixed(0) : value.toFixed(1));
const rates = (a: Cost, b: Cost) => `${a.perSecond.toFixed(0)} / ${b.perSecond.toFixed(0)}`;
