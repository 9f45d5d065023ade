import type { Fingerprint } from "../hosts/fingerprint.ts";
import type { SweepResult } from "../measure/sweep.ts";
import type { AbResult } from "../regressions/ab.ts";
import { escaped, figure, percent, table } from "./html.ts";
import { commandText, machineHtml } from "./machine.ts";
import { pageCss } from "./page-css.ts";
import { figureHtml } from "./plots/figure.ts";
import { KNEE_LEGEND, kneeDrawing } from "./plots/knee.ts";
import { ratiosDrawing } from "./plots/ratios.ts";
import { runSections } from "./run-sections.ts";
import type { Evidence } from "./stored.ts";
import { verdictHtml } from "./verdict.ts";

/** One page that needs nothing else: no script, no network. */
export function reportHtml({ run, sweeps, comparisons }: Evidence): string {
  const hosts = [run, ...sweeps, ...comparisons].flatMap((one) => one?.host ?? []);
  const host = hosts[0] as Fingerprint;
  const commands = [...new Set(hosts.flatMap((one) => commandText(one) ?? []))];
  return documentHtml(
    `IronTrack under load, ${host.commit}`,
    `<h1>IronTrack under load</h1>
<p class="dim lead">commit ${escaped(host.commit)}${run ? `, disk profile ${escaped(run.profile)}` : ""}, ${host.at.slice(0, 10)}</p>
${run ? verdictHtml(run) : ""}
${run ? runSections(run) : ""}
${sweeps.map(kneeHtml).join("\n")}
${comparisons.map(comparisonHtml).join("\n")}
<h2>On what</h2>${machineHtml(host, run)}
<h2>Not measured here</h2>
<p>${notMeasured(run)}</p>
<h2>To see it again</h2>
${commands.length > 0 ? commands.map((command) => `<pre>${escaped(command)}</pre>`).join("") : "<p>This result does not know the command that it came from.</p>"}`,
  );
}

/** A page around `body`. */
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
      ? ["how long the server waited for a connection of its pool"]
      : []),
    ...(first?.probes.isBlockIoAccounted === false
      ? ["block-I/O delay, which this kernel does not count"]
      : []),
    "another machine than this one: times are never converted",
    "the network: clients are on the same machine",
    ...(run ? ["several operations at once, unless the scenario is a mix"] : []),
  ];
  return escaped(`${missing.join("; ")}.`);
}

function kneeHtml(sweep: SweepResult): string {
  const { operation, objective, points, greatestRate, doubts } = sweep;
  const limit = `${objective.figure} of at most ${objective.mostMs} ms`;
  const found =
    greatestRate === null
      ? `No rate keeps to a ${limit}`
      : `${greatestRate.toFixed(0)} a second keep to a ${limit}`;
  const doubtful = doubts.length > 0 ? `, not to be believed (${doubts.join(", ")})` : "";
  const rows = points.map((point) => [
    `${point.rate.toFixed(0)} a second`,
    ...[point.achievedPerSecond, point.meanMs, point.p50Ms, point.p90Ms, point.p99Ms].map(figure),
    ...[point.serverCpuShare, point.postgresCpuShare].map(percent),
    point.isWithin ? "within" : "beyond",
  ]);
  const head = [
    "",
    "reached",
    "mean, ms",
    "p50",
    "p90",
    "p99",
    "server's core",
    "PostgreSQL's",
    "objective",
  ];
  return `<h2>Knee of ${escaped(operation)}</h2><p><strong>${found}${escaped(doubtful)}.</strong></p>${figureHtml(
    {
      caption: `Response times at rising rates (${sweep.profile}); hollow: beyond the objective`,
      alternative: `${found}; the table below has every rate.`,
      legend: KNEE_LEGEND,
    },
    kneeDrawing(sweep),
  )}${table("Rates that were tried", head, rows)}`;
}

const FIGURES = { cpuUs: "CPU, µs", p50Ms: "p50, ms", p90Ms: "p90, ms" };

function comparisonHtml({ before, after, options, findings, pairs, verdict }: AbResult): string {
  const named = findings.map((one) => ({
    ...one,
    name: `${one.operation} ${FIGURES[one.metric].split(",")[0]}`,
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
  const zone = `less than ${(options.zone * 100).toFixed(1)} % counts as none`;
  return `<h2>Beside another version</h2><p><strong>${verdict}</strong>: ${escaped(after)} after ${escaped(before)}, ${pairs.length} pairs; ${zone}.</p>${figureHtml(
    {
      caption: "after / before with its 95 % interval; grey counts as no difference",
      alternative: `${words}.`,
    },
    ratiosDrawing(named, options.zone),
  )}${table("Both versions", ["", "figure", "before", "after", "after / before", "95 % interval", "verdict"], rows)}`;
}
