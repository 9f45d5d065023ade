import { figure, percent } from "../figures/format.ts";
import { explainedShare } from "../measure/attribution.ts";
import { ioWaitShareOf } from "../measure/request-costs.ts";
import type { RunResult, ScenarioResult } from "../measure/run-http.ts";
import { escaped, folded } from "./html.ts";
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
import { systemMetricsHtml } from "./system-metrics.ts";
import {
  countsTable,
  diskTable,
  segmentsTable,
  statementTables,
  timesTable,
  waitsTable,
} from "./tables.ts";

/** The sections of a run, in reading order. */
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
  return `<h2>Latency</h2>${timesTable(results)}
<p class="dim">Latency includes the wait for an idle connection; service time does not. Percentiles are exact, computed from every request, and shown only if at least ten requests were slower.</p>
${plottedNote(results, curves)}${figureHtml(
  {
    caption: "Latency by percentile, on an axis stretched towards the slowest requests",
    alternative: `Latency percentiles on logarithmic axes. Maximum: ${slowest}.`,
    legend,
  },
  percentileDrawing(curves),
)}
${figureHtml(
  {
    caption: "Cumulative distribution of latency",
    alternative: `The share of requests by latency. Means: ${meansOf(results)}.`,
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
        alternative: `${caption}; the table below lists them in ms. Explained: ${explained}.`,
        legend,
      },
      attributionDrawing(results, unit),
    );
  return `<h2>Latency breakdown</h2>${bars("share", "Segments of the mean latency, in percent")}
${bars("ms", "Segments of the mean latency, in ms")}
<p>Explained: ${escaped(explained)}. Each segment is measured separately (ADR 0016): CPU from the kernel's thread accounting,
disk from PostgreSQL's wait times, locks and shared flushes by sampling its backends, sockets and wake-ups with bare servers at the
same rate. Values left of zero were counted twice.</p>
<p>I/O wait as a share of CPU plus I/O wait: ${escaped(ioWait)}.</p>${folded("The segments as a table", segmentsTable(results))}`;
}

function waits({ results }: RunResult): string {
  const plotted = slowestOf(results, MAX_OVER_TIME);
  const events = waitsOf(plotted);
  if (events.length === 0)
    return `<h2>PostgreSQL wait events</h2><p>No backend was active in any sample.</p>`;
  return `<h2>PostgreSQL wait events</h2>${figureHtml(
    {
      caption: "Backend states, ms per request",
      alternative: `A dot per state and operation, sized by time; the table below lists them. Largest: ${events[0]?.event}.`,
      legend: {
        names: kindsOf(events),
        colours: kindsOf(events).map(
          (name) => WAITS_LEGEND.colours[WAITS_LEGEND.names.indexOf(name)] as string,
        ),
      },
    },
    waitsDrawing(
      events,
      plotted.map(({ operation }) => operation),
    ),
  )}
<p class="dim">Sampled fifty times per second. <code>LWLock:WALWrite</code> is the wait for another backend's flush and counts as disk.</p>
${plottedNote(results, plotted)}${folded("The wait events as a table", waitsTable(events))}`;
}

const kindsOf = (events: ReturnType<typeof waitsOf>) =>
  WAITS_LEGEND.names.filter((name) => events.some(({ kind }) => kind === name));

function statements({ results }: RunResult): string {
  const { byTime, byDisk } = statementTables(results);
  return `<h2>Statements</h2>${byTime}${byDisk}`;
}

/** Limits that keep the page small and its curves distinguishable. */
const MAX_OVER_TIME = 12;
const MAX_CURVES = 10;

/** The slowest operations by mean latency, in the order of the run. */
function slowestOf(results: ScenarioResult[], count: number): ScenarioResult[] {
  const sorted = results.toSorted((a, b) => b.figures.responseMs.mean - a.figures.responseMs.mean);
  return results.filter((result) => sorted.indexOf(result) < count);
}

const plottedNote = ({ length }: ScenarioResult[], plotted: ScenarioResult[]): string =>
  length > plotted.length
    ? `<p>Only the ${plotted.length} slowest of ${length} operations are plotted; run.json has all.</p>`
    : "";

function overTime({ results }: RunResult): string {
  const plotted = slowestOf(results, MAX_OVER_TIME);
  return `<h2>Over time</h2>${plottedNote(results, plotted)}${plotted.map(operationOverTime).join("\n")}
<p class="dim">iowait from <code>/proc/stat</code> is shown for reference only: it falls as soon as another process is busy.
Shares can exceed 100 % because several processes can wait for the disk at once.</p>
${systemMetricsHtml(results)}`;
}

function operationOverTime(result: ScenarioResult): string {
  const { operation, figures, probes, generatorCpuShare } = result;
  const waitedMs =
    (probes.samples.at(-1)?.disk.waitedMs ?? 0) - (probes.samples[0]?.disk.waitedMs ?? 0);
  const accounted = probes.isBlockIoAccounted
    ? ""
    : " Block-I/O delay was not measured (kernel.task_delayacct is off).";
  const halves = [
    figureHtml(
      {
        caption: "Latency percentiles per second",
        alternative: `${operation}: p50 ${figure(figures.responseMs.percentiles[0.5])} ms overall, and per second.`,
        legend: secondsLegend(result),
        isHalf: true,
      },
      secondsDrawing(result),
    ),
    figureHtml(
      {
        caption: "CPU, % of one core",
        alternative: `${operation}: CPU of each process over time; server ${figure(result.costs.serverTotalCpu)} and PostgreSQL ${figure(result.costs.postgresTotalCpu)} ms per request.`,
        legend: cpuLegend(result),
        isHalf: true,
      },
      cpuDrawing(result),
    ),
    figureHtml(
      {
        caption: "Wait for the disk, % of the time",
        alternative: `${operation}: waits for the disk over time, ${figure(waitedMs)} ms in total.`,
        legend: ioWaitLegend(result),
        isHalf: true,
      },
      ioWaitDrawing(result),
    ),
  ];
  return `<h3>${escaped(operation)}</h3><div class="pair">${halves.join("\n")}</div>
<p class="dim">The load generator used ${percent(generatorCpuShare)} of its core, the probes ${(probes.ownCpuShare * 100).toFixed(1)} % of one.${accounted}</p>`;
}

function costs(run: RunResult): string {
  const { results } = run;
  const flushes = results
    .map(({ operation, costs }) => `${operation} ${costs.flushes.toFixed(2)}`)
    .join(", ");
  return `<h2>Cost per request</h2>${countsTable(results)}
<p class="dim">Averages under this load, including PostgreSQL's background work; bench/counts.json has exact counts of one request.</p>
<h2>Disk flushes</h2>${figureHtml(
    {
      caption: "Disk flushes per request",
      alternative: `Disk flushes per request: ${flushes}.`,
    },
    flushesDrawing(results),
  )}
${diskTable(run)}`;
}
