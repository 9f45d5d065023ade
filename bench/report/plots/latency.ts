import * as Plot from "@observablehq/plot";
import type { ScenarioResult } from "../../measure/run-http.ts";
import { CATEGORY_COLOURS, category } from "../colours.ts";
import { colourScale, logAxisX, logAxisY, logTicks, SECONDS_AXIS } from "./axes.ts";
import { type Drawing, type Legend, legendOf, thinned } from "./figure.ts";

type Curves = Pick<ScenarioResult, "operation" | "curve">;

export const operationsLegend = (results: { operation: string }[]): Legend =>
  legendOf(results.map(({ operation }, n) => ({ name: operation, colour: category(n) })));

const TICKS = [1, 2, 10, 100, 1000, 10_000];
const DASHES = ["none", "6 3", "2 2.5"];

/** Latency by percentile on the usual axis of HDR histograms, stretched towards the slowest. */
export function percentileDrawing(results: Curves[]): Drawing {
  const lines = results.map(({ operation, curve }) => ({ operation, points: pointsOf(curve) }));
  const allPoints = lines.flatMap(({ points }) => points);
  const ms = logTicks(allPoints.map((point) => point.ms));
  const maxTimes = Math.max(...allPoints.map(({ times }) => times));
  return (_, isNarrow) => ({
    height: isNarrow ? 280 : 360,
    marginLeft: 44,
    marginRight: 16,
    marginBottom: 40,
    x: {
      type: "log",
      label: "percentile",
      labelAnchor: "center",
      labelArrow: "none",
      ticks: TICKS.filter((times) => times <= maxTimes),
      tickFormat: (times: number) => `${+(100 * (1 - 1 / times)).toFixed(3)}%`,
      grid: true,
    },
    y: { type: "log", domain: ms.domain },
    color: colourScale(operationsLegend(results)),
    marks: [
      ...logAxisY(ms, "latency, ms"),
      ...lines.map((line, n) => curveMark(line, n, { x: "times", y: "ms" })),
    ],
  });
}

/** The cumulative distribution of latency. */
export function ecdfDrawing(results: Curves[]): Drawing {
  const lines = results.map(({ operation, curve }) => ({ operation, points: thinned(curve, 60) }));
  const ms = logTicks(lines.flatMap(({ points }) => points.map((point) => point.ms)));
  return (_, isNarrow) => ({
    height: isNarrow ? 240 : 300,
    marginLeft: 44,
    marginRight: 16,
    marginBottom: 40,
    x: { type: "log", domain: ms.domain },
    y: {
      label: "% of requests",
      percent: true,
      grid: true,
      domain: [0, 100],
      labelArrow: "none",
    },
    color: colourScale(operationsLegend(results)),
    marks: [
      ...logAxisX(ms, "latency, ms"),
      ...lines.map((line, n) => curveMark(line, n, { x: "ms", y: "share" })),
    ],
  });
}

type Line = { operation: string; points: object[] };

/** Dash patterns distinguish the curves without colour. */
const curveMark = ({ operation, points }: Line, n: number, axes: { x: string; y: string }) =>
  Plot.line(points, {
    ...axes,
    stroke: () => operation,
    strokeWidth: 1.8,
    z: null,
    strokeDasharray: DASHES[n % DASHES.length] as string,
  });

type Seconds = Pick<ScenarioResult, "seconds">;

export function secondsLegend({ seconds }: Seconds): Legend {
  const names = seconds.some(({ p99Ms }) => p99Ms !== null) ? ["p50", "p99"] : ["p50"];
  return { names, colours: CATEGORY_COLOURS.slice(0, names.length) };
}

/** p50 and p99 per second of one operation; seconds with few responses have no p99. */
export function secondsDrawing(result: Seconds): Drawing {
  const rows = thinned(result.seconds, 120).flatMap(({ second, p50Ms, p99Ms }) => [
    { second, ms: p50Ms, which: "p50" },
    ...(p99Ms === null ? [] : [{ second, ms: p99Ms, which: "p99" }]),
  ]);
  return () => ({
    height: 170,
    marginLeft: 44,
    marginRight: 12,
    x: SECONDS_AXIS,
    y: { label: "latency, ms", grid: true, zero: true, ticks: 4, labelArrow: "none" },
    color: colourScale(secondsLegend(result)),
    marks: [
      Plot.ruleY([0]),
      Plot.line(rows, { x: "second", y: "ms", stroke: "which", strokeWidth: 1.5 }),
      Plot.dot(rows, { x: "second", y: "ms", fill: "which", r: 2 }),
    ],
  });
}

/** Share s is drawn at 1 / (1 - s); `curve` ends below a share of 1, which would be infinite. */
const pointsOf = (curve: Curves["curve"]) =>
  thinned(curve, 60).map(({ share, ms }) => ({ times: 1 / (1 - share), ms }));
