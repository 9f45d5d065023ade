import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import type { ScenarioResult } from "../run-http.ts";

/** Plots as SVG texts, drawn once and without scripts; colours are the page's, so they follow light and dark. */
const WIDTH = 640;
const STYLE = { background: "none", color: "currentColor", maxWidth: "100%", height: "auto" };

const draw = (options: Plot.PlotOptions): string => {
  const { document } = parseHTML("<html><body></body></html>");
  return Plot.plot({ width: WIDTH, style: STYLE, document: document as never, ...options }).outerHTML;
};

/** Where the mean response of each operation went. */
export function attributionPlot(results: ScenarioResult[]): string {
  const parts: [keyof ScenarioResult["attribution"], string][] = [
    ["beforeSend", "before it was sent"],
    ["serverCpu", "server CPU"],
    ["postgresCpu", "PostgreSQL CPU"],
    ["disk", "disk"],
    ["rest", "sockets, scheduler, locks"],
  ];
  const rows = results.flatMap(({ operation, attribution }) =>
    parts.map(([part, label]) => ({ operation, part: label, ms: attribution[part] })),
  );
  return draw({
    height: 60 + results.length * 26,
    marginLeft: 150,
    x: { label: "ms of the mean response", grid: true },
    y: { label: null, domain: results.map(({ operation }) => operation) },
    color: { legend: false, scheme: "Observable10", domain: parts.map(([, label]) => label) },
    marks: [
      Plot.barX(rows, { x: "ms", y: "operation", fill: "part", order: parts.map(([, label]) => label) }),
      Plot.ruleX([0]),
    ],
  });
}

export const ATTRIBUTION_LEGEND = [
  "before it was sent",
  "server CPU",
  "PostgreSQL CPU",
  "disk",
  "sockets, scheduler, locks",
];

/** Response times by the share of requests that were no slower, stretched towards the slowest as HDR plots are. */
export function percentilePlot(results: ScenarioResult[]): string {
  const points = results.flatMap(({ operation, curve }) =>
    curve.map(({ share, ms }) => ({ operation, times: 1 / (1 - share), ms })),
  );
  const ticks = [1, 2, 10, 100, 1000];
  return draw({
    height: 320,
    marginRight: 110,
    x: {
      type: "log",
      label: "share of requests that were no slower",
      ticks,
      tickFormat: (times: number) => `${+(100 * (1 - 1 / times)).toFixed(3)} %`,
    },
    y: { type: "log", label: "response, ms", grid: true },
    color: { scheme: "Observable10", domain: results.map(({ operation }) => operation) },
    marks: [
      Plot.line(points, { x: "times", y: "ms", stroke: "operation" }),
      Plot.text(
        points,
        Plot.selectLast({
          x: "times",
          y: "ms",
          z: "operation",
          text: "operation",
          textAnchor: "start",
          dx: 4,
          fill: "currentColor",
        }),
      ),
    ],
  });
}

/** p50 and p99 of each second of one operation. */
export function timelinePlot({ seconds }: ScenarioResult): string {
  const rows = seconds.flatMap(({ second, p50Ms, p99Ms }) => [
    { second, ms: p50Ms, which: "p50" },
    ...(p99Ms === null ? [] : [{ second, ms: p99Ms, which: "p99" }]),
  ]);
  return draw({
    height: 150,
    x: { label: "second" },
    y: { label: "response, ms", grid: true, zero: true },
    color: { domain: ["p50", "p99"], scheme: "Observable10" },
    marks: [
      Plot.ruleY([0]),
      Plot.line(rows, { x: "second", y: "ms", stroke: "which" }),
      Plot.dot(rows, { x: "second", y: "ms", fill: "which", r: 2 }),
    ],
  });
}

/** What processes had of the processors and the disk, as shares of one. */
export function usagePlot({ probes: { samples } }: ScenarioResult): string {
  const rows = samples.slice(1).flatMap((sample, at) => {
    const before = samples[at] as typeof sample;
    const lasted = sample.atMs - before.atMs;
    const share = (what: string, now: number, then: number) => ({
      s: sample.atMs / 1000,
      what,
      share: (now - then) / lasted,
    });
    return [
      share("server CPU", sample.serverCpuMs, before.serverCpuMs),
      share("PostgreSQL CPU", sample.postgresCpuMs, before.postgresCpuMs),
      share("waiting for the disk", sample.diskWaitMs, before.diskWaitMs),
    ];
  });
  return draw({
    height: 150,
    x: { label: "second" },
    y: { label: "of one", percent: true, grid: true, zero: true },
    color: { domain: ["server CPU", "PostgreSQL CPU", "waiting for the disk"], scheme: "Observable10" },
    marks: [Plot.ruleY([0]), Plot.line(rows, { x: "s", y: "share", stroke: "what" })],
  });
}
