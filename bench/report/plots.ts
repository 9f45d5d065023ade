import * as Plot from "@observablehq/plot";
import { parseHTML } from "linkedom";
import { SEGMENTS } from "../attribution.ts";
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
  const rows = results.flatMap(({ operation, attribution }) =>
    SEGMENTS.map(([part, label]) => ({ operation, part: label, ms: attribution[part] ?? 0 })),
  );
  return draw({
    height: 60 + results.length * 26,
    marginLeft: 150,
    x: { label: "ms of the mean response", grid: true },
    y: { label: null, domain: results.map(({ operation }) => operation) },
    color: { legend: false, domain: ATTRIBUTION_LEGEND, range: SEGMENT_COLOURS },
    marks: [Plot.barX(rows, { x: "ms", y: "operation", fill: "part", order: ATTRIBUTION_LEGEND }), Plot.ruleX([0])],
  });
}

export const ATTRIBUTION_LEGEND = SEGMENTS.map(([, label]) => label);

/** One for each segment; the rest is grey. */
export const SEGMENT_COLOURS = [
  ...["#4269d0", "#b15928", "#efb118", "#f6d98b", "#a463f2", "#97bbf5", "#ff725c"],
  ...["#ffb5a7", "#9c6b4e", "#3ca951", "#a5d9ae", "#6cc5b0", "#9498a0"],
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
      share("server CPU", sample.server.totalCpuMs, before.server.totalCpuMs),
      share("PostgreSQL CPU", sample.backends.main.cpuMs, before.backends.main.cpuMs),
      share("waiting for the disk", sample.disk.waitedMs, before.disk.waitedMs),
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
