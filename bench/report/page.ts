import { figure, percent } from "../figures/format.ts";
import type { Fingerprint } from "../hosts/fingerprint.ts";
import type { SweepResult } from "../measure/sweep.ts";
import type { AbResult } from "../regressions/ab.ts";
import { escaped, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { pageCss } from "./page-css.ts";
import { figureHtml } from "./plots/figure.ts";
import { KNEE_LEGEND, kneeDrawing } from "./plots/knee.ts";
import { ratiosDrawing } from "./plots/ratios.ts";
import { runSections } from "./run-sections.ts";
import type { Evidence } from "./stored.ts";
import { verdictHtml } from "./verdict.ts";

/** The report as one self-contained page, without scripts or network access. */
export function reportHtml({ run, sweeps, comparisons }: Evidence): string {
  const hosts = [run, ...sweeps, ...comparisons].flatMap((result) => result?.host ?? []);
  const host = hosts[0] as Fingerprint;
  const commands = [...new Set(hosts.flatMap((each) => commandText(each) ?? []))];
  return documentHtml(
    `IronTrack under load, ${host.commit}`,
    `<h1>IronTrack under load</h1>
<p class="dim lead">commit ${escaped(host.commit)}${run ? `, disk profile ${escaped(run.profile)}` : ""}, ${host.at.slice(0, 10)}</p>
${run ? verdictHtml(run) : ""}
${run ? runSections(run) : ""}
${sweeps.map(kneeHtml).join("\n")}
${comparisons.map(comparisonHtml).join("\n")}
<h2>Environment</h2>${machineHtml(host, run)}
<h2>Not measured</h2>
<p>${notMeasured(run)}</p>
<h2>Reproduce</h2>
${commands.length > 0 ? commands.map((command) => `<pre>${escaped(command)}</pre>`).join("") : "<p>This result did not record its command.</p>"}`,
  );
}

export const documentHtml = (title: string, body: string): string => `<!doctype html>
<html lang="en"><head><meta charset="utf-8"><meta name="viewport" content="width=device-width, initial-scale=1">
<link rel="icon" href="data:,"><title>${escaped(title)}</title><style>${pageCss()}</style></head><body><main>
${body}
</main></body></html>
`;

function notMeasured(run: Evidence["run"]): string {
  const first = run?.results[0];
  const missing = [
    ...(first?.attribution.proxy === null ? ["the proxy, which is not in this path"] : []),
    ...(first?.attribution.pooler === null ? ["the pooler, which is not in this path"] : []),
    ...(first?.attribution.poolWait === null
      ? ["the wait for a connection of the server's pool"]
      : []),
    ...(first?.probes.isBlockIoAccounted === false
      ? ["block-I/O delay, which this kernel does not account"]
      : []),
    "other machines: times are never converted",
    "the network: the clients run on the same machine",
    ...(run ? ["several operations at once, unless the scenario is a mix"] : []),
  ];
  return escaped(`${missing.join("; ")}.`);
}

function kneeHtml(sweep: SweepResult): string {
  const { operation, objective, points, greatestRate, doubts } = sweep;
  const limit = `${objective.figure} ≤ ${objective.mostMs} ms`;
  const finding =
    greatestRate === null
      ? `No rate meets the objective: ${limit}`
      : `${greatestRate.toFixed(0)} requests per second meet the objective: ${limit}`;
  const warnings = doubts.length > 0 ? `, not valid (${doubts.join(", ")})` : "";
  const rows = points.map((point) => [
    `${point.rate.toFixed(0)}/s`,
    ...[point.achievedPerSecond, point.meanMs, point.p50Ms, point.p90Ms, point.p99Ms].map(figure),
    ...[point.serverCpuShare, point.postgresCpuShare].map(percent),
    point.isWithin ? "within" : "beyond",
  ]);
  const head = [
    "",
    "achieved/s",
    "mean, ms",
    "p50",
    "p90",
    "p99",
    "server CPU",
    "PostgreSQL CPU",
    "objective",
  ];
  return `<h2>Knee of ${escaped(operation)}</h2><p><strong>${escaped(finding + warnings)}.</strong></p>${figureHtml(
    {
      caption: `Latency at increasing rates (${sweep.profile}); hollow: objective not met`,
      alternative: `${finding}; the table below lists every rate.`,
      legend: KNEE_LEGEND,
    },
    kneeDrawing(sweep),
  )}${table("Measured rates", head, rows)}`;
}

const FIGURES = { cpuUs: "CPU, µs", p50Ms: "p50, ms", p90Ms: "p90, ms" };

function comparisonHtml({ before, after, options, findings, pairs, verdict }: AbResult): string {
  const named = findings.map((finding) => ({
    ...finding,
    name: `${finding.operation} ${FIGURES[finding.metric].split(",")[0]}`,
  }));
  const rows = findings.map(({ operation, metric, before, after, ratio, low, high, verdict }) => [
    operation,
    FIGURES[metric],
    ...[before, after].map(figure),
    ratio.toFixed(3),
    `${low.toFixed(3)} to ${high.toFixed(3)}`,
    verdict,
  ]);
  const words = named
    .map(({ name, ratio, verdict }) => `${name} ${ratio.toFixed(3)}, ${verdict}`)
    .join("; ");
  const zone = `differences below ${(options.zone * 100).toFixed(1)} % count as equal`;
  return `<h2>Comparison of versions</h2><p><strong>${verdict}</strong>: ${escaped(after)} compared with ${escaped(before)}, ${pairs.length} pairs; ${zone}.</p>${figureHtml(
    {
      caption: "after / before with its 95 % bootstrap interval; the grey zone counts as equal",
      alternative: `${words}.`,
    },
    ratiosDrawing(named, options.zone),
  )}${table("Both versions", ["", "metric", "before", "after", "after / before", "95 % interval", "verdict"], rows)}`;
}
