import { explainedShare, ioWaitShareOf } from "../measure/attribution.ts";
import type { RunResult, ScenarioResult } from "../measure/run-http.ts";
import { escaped, figure, folded, percent } from "./html.ts";
import { meanwhileHtml } from "./meanwhile.ts";
import { attributionDrawing, attributionLegend } from "./plots/attribution.ts";
import { figureHtml } from "./plots/figure.ts";
import { flushesDrawing } from "./plots/flushes.ts";
import {
  ecdfDrawing,
  operationsLegend,
  percentileDrawing,
  secondsDrawing,
  secondsLegend,
} from "./plots/latency.ts";
import { cpuDrawing, cpuLegend, ioWaitDrawing, ioWaitLegend } from "./plots/usage.ts";
import { WAITS_LEGEND, waitsDrawing, waitsOf } from "./plots/waits.ts";
import {
  countsTable,
  diskTable,
  segmentsTable,
  statementTables,
  timesTable,
  waitsTable,
} from "./tables.ts";

/** Everything about a run, section by section. */
export const runSections = (run: RunResult): string =>
  [times(run), attribution(run), waits(run), statements(run), overTime(run), costs(run)].join("\n");

const meansOf = (results: ScenarioResult[]) =>
  results
    .map(({ operation, figures }) => `${operation} ${figure(figures.responseMs.mean)} ms`)
    .join(", ");

function times({ results }: RunResult): string {
  const curves = slowestOf(results, MAX_CURVES);
  const legend = operationsLegend(curves);
  const slowest = results
    .map(({ operation, figures }) => `${operation} ${figure(figures.responseMs.max)} ms`)
    .join(", ");
  return `<h2>How long people wait</h2>${timesTable(results)}
<p class="dim">A wait for an idle connection counts. A percentile is exact, from every request, and shown only when ten answers were slower.</p>
${leftOut(results, curves)}${figureHtml(
  {
    caption: "Response by the share of requests that were no slower, stretched towards the slowest",
    alternative: `Percentiles of response times on logarithmic axes. The slowest: ${slowest}.`,
    legend,
  },
  percentileDrawing(curves),
)}
${figureHtml(
  {
    caption: "Cumulative distribution of response times",
    alternative: `The share of requests answered within a time. Means: ${meansOf(results)}.`,
    legend,
  },
  ecdfDrawing(curves),
)}`;
}

function attribution({ results }: RunResult): string {
  const explained = results
    .map(({ operation, attribution }) => `${operation} ${percent(explainedShare(attribution))}`)
    .join(", ");
  const ioWait = results
    .map(({ operation, costs }) => `${operation} ${percent(ioWaitShareOf(costs))}`)
    .join(", ");
  const legend = attributionLegend(results);
  const bars = (unit: "ms" | "share", caption: string) =>
    figureHtml(
      {
        caption,
        alternative: `${caption}; the table below has them in ms. Explained: ${explained}.`,
        legend,
      },
      attributionDrawing(results, unit),
    );
  return `<h2>Where the time went</h2>${bars("share", "Parts of the mean response, as shares of it")}
${bars("ms", "Parts of the mean response, in ms")}
<p>Explained: ${escaped(explained)}. Each part is measured by itself (ADR 0016): processors by the kernel's accounts of threads,
the disk by what PostgreSQL waited for it, locks and others' flushes by looks at its backends, sockets and waking up by bare servers
at the same rate. What is left of the line was counted twice.</p>
<p>I/O wait, of the time in which something was done for requests: ${escaped(ioWait)}.</p>${folded("The parts as a table", segmentsTable(results))}`;
}

function waits({ results }: RunResult): string {
  const shown = slowestOf(results, MAX_OVER_TIME);
  const seen = waitsOf(shown);
  if (seen.length === 0)
    return `<h2>What PostgreSQL waited for</h2><p>No backend was seen at work.</p>`;
  return `<h2>What PostgreSQL waited for</h2>${figureHtml(
    {
      caption: "States in which backends were seen, ms of a request",
      alternative: `A dot for each state and operation, as large as its time; the table below has them. Most: ${seen[0]?.event}.`,
      legend: {
        names: usedOf(seen),
        colours: usedOf(seen).map(
          (name) => WAITS_LEGEND.colours[WAITS_LEGEND.names.indexOf(name)] as string,
        ),
      },
    },
    waitsDrawing(
      seen,
      shown.map(({ operation }) => operation),
    ),
  )}
<p class="dim">Looked at fifty times a second. <code>LWLock:WALWrite</code> is the wait for somebody else's flush, and counts as disk.</p>
${leftOut(results, shown)}${folded("The waits as a table", waitsTable(seen))}`;
}

const usedOf = (seen: ReturnType<typeof waitsOf>) =>
  WAITS_LEGEND.names.filter((name) => seen.some(({ what }) => what === name));

function statements({ results }: RunResult): string {
  const { byTime, byDisk } = statementTables(results);
  return `<h2>Statements</h2>${byTime}${byDisk}`;
}

/**
 * More make a page of megabytes that nobody reads to its end, and curves that nobody tells apart.
 */
const MAX_OVER_TIME = 12;
const MAX_CURVES = 10;

/** The slowest by their mean, in the order of the run. */
function slowestOf(results: ScenarioResult[], most: number): ScenarioResult[] {
  const sorted = results.toSorted((a, b) => b.figures.responseMs.mean - a.figures.responseMs.mean);
  return results.filter((result) => sorted.indexOf(result) < most);
}

const leftOut = ({ length }: ScenarioResult[], shown: ScenarioResult[]): string =>
  length > shown.length
    ? `<p>Plotted: the ${shown.length} slowest; all ${length} are in run.json.</p>`
    : "";

function overTime({ results }: RunResult): string {
  const shown = slowestOf(results, MAX_OVER_TIME);
  return `<h2>Over time</h2>${leftOut(results, shown)}${shown.map(operationOverTime).join("\n")}
<p class="dim"><code>/proc/stat</code>'s iowait is shown because people look for it, and is unreliable: it falls as soon as anybody
else is busy. Several processes can wait for the disk at once, hence shares above 100 %.</p>
${meanwhileHtml(results)}`;
}

function operationOverTime(result: ScenarioResult): string {
  const { operation, figures, probes, generatorCpuShare } = result;
  const waited =
    (probes.samples.at(-1)?.disk.waitedMs ?? 0) - (probes.samples[0]?.disk.waitedMs ?? 0);
  const accounted = probes.isBlockIoAccounted
    ? ""
    : " Block-I/O delay: not measured here (kernel.task_delayacct is off).";
  const halves = [
    figureHtml(
      {
        caption: "Percentiles of each second",
        alternative: `${operation}: p50 ${figure(figures.responseMs.percentiles[0.5])} ms over the whole time, and in each second.`,
        legend: secondsLegend(result),
        isHalf: true,
      },
      secondsDrawing(result),
    ),
    figureHtml(
      {
        caption: "Processors, of one",
        alternative: `${operation}: CPU of each process over time; server ${figure(result.costs.serverTotalCpu)} and PostgreSQL ${figure(result.costs.postgresTotalCpu)} ms of a request.`,
        legend: cpuLegend(result),
        isHalf: true,
      },
      cpuDrawing(result),
    ),
    figureHtml(
      {
        caption: "Waiting for the disk, of the time",
        alternative: `${operation}: waits for the disk over time, ${figure(waited)} ms together.`,
        legend: ioWaitLegend(result),
        isHalf: true,
      },
      ioWaitDrawing(result),
    ),
  ];
  return `<h3>${escaped(operation)}</h3><div class="pair">${halves.join("\n")}</div>
<p class="dim">The load took ${percent(generatorCpuShare)} of its core, the probes ${(probes.ownCpuShare * 100).toFixed(1)} % of one.${accounted}</p>`;
}

function costs(run: RunResult): string {
  const { results } = run;
  const flushes = results
    .map(({ operation, costs }) => `${operation} ${costs.flushes.toFixed(2)}`)
    .join(", ");
  return `<h2>What a request costs</h2>${countsTable(results)}
<p class="dim">Averages under this load, with whatever PostgreSQL did in the background; exact counts of one request are in bench/counts.json.</p>
<h2>Flushes</h2>${figureHtml(
    {
      caption: "Flushes of the disk behind a request",
      alternative: `Flushes a request: ${flushes}.`,
    },
    flushesDrawing(results),
  )}
${diskTable(run)}`;
}
