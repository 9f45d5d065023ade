import { figure, percent } from "../figures/format.ts";
import type { Interval } from "../figures/interval.ts";
import type { Distribution, LoadFigures } from "../load/recording.ts";
import { explainedShare } from "../measure/attribution.ts";
import type { RunResult } from "../measure/run-http.ts";
import { diskText, waveText } from "./machine.ts";
import { hasRefused } from "./tables.ts";
import { verdictText } from "./verdict.ts";

/** The summary of a run as Markdown. */
export function reportMarkdown(run: RunResult): string {
  const { host, profile, results } = run;
  const isRefused = hasRefused(results);
  const failureCells = ({ failures, refused = 0 }: LoadFigures) =>
    isRefused ? `${refused} | ${failures - refused}` : `${failures}`;
  const rows = results.flatMap(({ operation, figures, intervals, parts, attribution, costs }) => [
    `| ${operation} | ${figures.requests} | ${times(figures.responseMs, intervals.meanMs)} | ${figure(costs.serverTotalCpu)} | ${figure(costs.postgresTotalCpu)} | ${costs.flushes.toFixed(2)} | ${percent(explainedShare(attribution))} | ${failureCells(figures)} |`,
    ...parts.map(
      (part) =>
        `| … ${part.operation} | ${part.figures.requests} | ${times(part.figures.responseMs)} | | | | | ${failureCells(part.figures)} |`,
    ),
  ]);
  return `# Under load at ${host.commit}, ${profile}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}; ${diskText(run)}.
${results[0]?.offeredPerSecond.toFixed(0) ?? 0} requests per second in ${results[0]?.runs.length ?? 0} runs${waveText(results)}; latency in ms from the intended send time, the mean with its
95 % interval over runs. ${verdictText(run)}

| operation | requests | mean | p50 | p99 | max | server CPU | PostgreSQL CPU | flushes | explained |${isRefused ? " refused |" : ""} failures |
|---|---|---|---|---|---|---|---|---|---|---|${isRefused ? "---|" : ""}
${rows.join("\n")}
`;
}

function times(responseMs: Distribution, mean?: Interval): string {
  const margin = mean?.high == null ? "" : ` ± ${figure(mean.high - mean.mean)}`;
  return `${figure(responseMs.mean)}${margin} | ${figure(responseMs.percentiles[0.5])} | ${figure(responseMs.percentiles[0.99])} | ${figure(responseMs.max)}`;
}
