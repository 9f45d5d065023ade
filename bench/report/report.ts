import { explainedShare } from "../attribution.ts";
import type { Interval } from "../interval.ts";
import type { Distribution } from "../load/recording.ts";
import type { RunResult, ScenarioResult } from "../run-http.ts";
import {
  ATTRIBUTION_LEGEND,
  attributionPlot,
  percentilePlot,
  SEGMENT_COLOURS,
  timelinePlot,
  usagePlot,
} from "./plots.ts";

/** Which disk, in which state, and what it was found to be. */
const diskOf = ({ disk, isCold }: RunResult) =>
  [
    disk.what,
    `${disk.fdatasync.perSecond.toFixed(0)} flushes a second`,
    ...disk.grouping.map(
      ({ clients, commitsPerFlush }) => `${commitsPerFlush.toFixed(1)} commits a flush of ${clients}`,
    ),
    ...(isCold ? ["cold: few buffers, nothing in the page cache at first"] : []),
  ].join("; ");

/** Plot's scheme Observable10, for the legends. */
const COLOURS = ["#4269d0", "#efb118", "#ff725c", "#6cc5b0", "#3ca951"];

const escaped = (text: string) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;").replaceAll('"', "&quot;");
const ms = (value: number | undefined) => (value === undefined ? "–" : value.toPrecision(3));
const percent = (share: number) => `${(share * 100).toFixed(0)} %`;
const p = (distribution: Distribution, share: 0.5 | 0.9 | 0.99 | 0.999) => ms(distribution.percentiles[share]);

/** One page that needs nothing else: no script, no network. */
export function reportHtml(run: RunResult): string {
  const { host, results } = run;
  const about: [string, string][] = [
    ["Machine", `${host.cpu}, ${host.cores} cores, ${host.memoryGib} GiB, Linux ${host.kernel}`],
    ["Disk", diskOf(run)],
    [
      "Software",
      `Bun ${host.bun}, PostgreSQL ${host.postgres}, commit ${host.commit}${host.isDirty ? " with changes" : ""}`,
    ],
    [
      "Load",
      `${results[0]?.offeredPerSecond.toFixed(0) ?? 0} requests a second over 32 connections of a Unix socket; ${host.pins}`,
    ],
    ["When", host.at],
  ];
  return `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<title>IronTrack under load, ${escaped(host.commit)}</title><style>${CSS}</style></head><body>
<h1>IronTrack under load</h1>
<p class="verdict">${verdict(run)}</p>
<dl>${about.map(([what, is]) => `<dt>${what}</dt><dd>${escaped(is)}</dd>`).join("")}</dl>
<h2>Response times</h2>
<div class="wide">${table(results)}</div>
<p>In ms from when a request was due, so that a wait for an idle connection counts. A percentile is exact, and shown only when
ten answers were slower.</p>
<h2>How slow the slowest are</h2><figure>${percentilePlot(results)}</figure>
<h2>Where the time went</h2>${legend(ATTRIBUTION_LEGEND, SEGMENT_COLOURS)}<figure>${attributionPlot(results)}</figure>
<p>Explained: ${results.map(({ operation, attribution }) => `${operation} ${percent(explainedShare(attribution))}`).join(", ")}.
Each part is measured by itself (ADR 0016): processors by the kernel's accounts of threads, the disk by what PostgreSQL waited
for it, locks and others' flushes by looks at its backends, sockets and waking up by bare servers at the same rate.</p>
${results.map(section).join("\n")}
<h2>Not measured here</h2><p>The proxy and the pooler, which are not in this path; another machine than this one. Only one
scenario runs at a time.</p>
</body></html>
`;
}

function verdict({ results, disk }: RunResult): string {
  if (disk.doubts.length > 0) return `Void: ${escaped(disk.doubts.join("; "))}.`;
  const doubtful = results.filter(({ doubts }) => doubts.length > 0);
  if (doubtful.length === 0)
    return "Every run may be believed: nothing failed, requests were sent on time, the rate was reached, nobody disturbed the server.";
  return `Not to be believed: ${doubtful.map(({ operation, doubts }) => `${operation} (${escaped(doubts.join(", "))})`).join("; ")}.`;
}

function table(results: ScenarioResult[]): string {
  const rows = results.map(({ operation, figures, costs }) => {
    const { responseMs, serviceMs, requests, perSecond, failures } = figures;
    const cells = [
      String(requests),
      perSecond.toFixed(0),
      ms(responseMs.mean),
      p(responseMs, 0.5),
      p(responseMs, 0.9),
      p(responseMs, 0.99),
      p(responseMs, 0.999),
      ms(responseMs.max),
      p(serviceMs, 0.99),
      ms(costs.serverTotalCpu),
      ms(costs.postgresTotalCpu),
      costs.flushes.toFixed(2),
      String(failures),
    ];
    return `<tr><th>${operation}</th>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>`;
  });
  const head = [
    "requests",
    "a second",
    "mean",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "most",
    "p99 from sending",
    "server CPU",
    "PostgreSQL CPU",
    "flushes",
    "failures",
  ];
  return `<table><tr><th></th>${head.map((name) => `<th>${name}</th>`).join("")}</tr>${rows.join("")}</table>`;
}

function section(result: ScenarioResult): string {
  const { operation, figures, probes, generatorCpuShare } = result;
  const lag = p(figures.sendLagMs, 0.99);
  return `<h2>${operation}</h2>${legend(["p50", "p99"])}<figure>${timelinePlot(result)}</figure>
${legend(["server CPU", "PostgreSQL CPU", "waiting for the disk"])}<figure>${usagePlot(result)}</figure>
<p>Requests were sent ${lag} ms late at the 99th percentile. The load took ${(generatorCpuShare * 100).toFixed(0)} % of its core,
the probes ${(probes.ownCpuShare * 100).toFixed(1)} % of one.</p>`;
}

const legend = (names: string[], colours = COLOURS) =>
  `<p class="legend">${names.map((name, at) => `<span style="--colour:${colours[at]}">${name}</span>`).join("")}</p>`;

/** The same as text, for a repository's page. */
export function reportMarkdown(run: RunResult): string {
  const { host, profile, results } = run;
  const rows = results.flatMap(({ operation, figures, intervals, parts, attribution, costs }) => [
    `| ${operation} | ${figures.requests} | ${times(figures.responseMs, intervals.meanMs)} | ${ms(costs.serverTotalCpu)} | ${ms(costs.postgresTotalCpu)} | ${costs.flushes.toFixed(2)} | ${percent(explainedShare(attribution))} | ${figures.failures} |`,
    ...parts.map(
      (part) =>
        `| … ${part.operation} | ${part.figures.requests} | ${times(part.figures.responseMs)} | | | | | ${part.figures.failures} |`,
    ),
  ]);
  return `# Under load at ${host.commit}, ${profile}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}; ${diskOf(run)}.
${results[0]?.offeredPerSecond.toFixed(0) ?? 0} requests a second in ${results[0]?.runs.length ?? 0} runs; response times in ms from when a request was due, the mean with its
95 % interval over runs. ${verdict(run)}

| operation | requests | mean | p50 | p99 | most | server CPU | PostgreSQL CPU | flushes | explained | failures |
|---|---|---|---|---|---|---|---|---|---|---|
${rows.join("\n")}
`;
}

function times(responseMs: Distribution, mean?: Interval): string {
  const around = mean?.high == null ? "" : ` ± ${ms(mean.high - mean.mean)}`;
  return `${ms(responseMs.mean)}${around} | ${p(responseMs, 0.5)} | ${p(responseMs, 0.99)} | ${ms(responseMs.max)}`;
}

const CSS = `
:root { color-scheme: light dark; --line: color-mix(in srgb, currentColor 20%, transparent) }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 60rem; margin: 2rem auto; padding: 0 1rem }
h1, h2 { line-height: 1.2 } h2 { margin-top: 2.5rem }
.verdict { border-left: 4px solid #4269d0; padding-left: 1rem; font-weight: 600 }
dl { display: grid; grid-template-columns: max-content 1fr; gap: .2rem 1rem } dt { font-weight: 600 } dd { margin: 0; overflow-wrap: anywhere }
.wide { overflow-x: auto } table { border-collapse: collapse; font-variant-numeric: tabular-nums; font-size: .85rem }
th, td { padding: .25rem .6rem; border-bottom: 1px solid var(--line); text-align: right; white-space: nowrap } tr > :first-child { text-align: left }
figure { margin: 1rem 0; overflow: hidden } figure svg { display: block; width: 100%; height: auto }
.legend { margin: 0; font-size: .85rem } .legend span { margin-right: 1.2rem } .legend span::before { content: ""; display: inline-block; width: .8em; height: .8em; margin-right: .4em; border-radius: 2px; background: var(--colour) }
`;
