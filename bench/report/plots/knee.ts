import * as Plot from "@observablehq/plot";
import type { SweepPoint, SweepResult } from "../../measure/sweep.ts";
import { category } from "../colours.ts";
import { colourScale, logAxisX, logAxisY, logTicks } from "./axes.ts";
import type { Drawing, Legend } from "./figure.ts";

const FIGURES = [
  ["p50", ({ p50Ms }: SweepPoint) => p50Ms],
  ["p90", ({ p90Ms }: SweepPoint) => p90Ms],
  ["p99", ({ p99Ms }: SweepPoint) => p99Ms],
] as const;

export const KNEE_LEGEND: Legend = {
  names: FIGURES.map(([name]) => name),
  colours: [3, 0, 1].map(category),
};

/**
 * Latency at increasing rates, with the objective and the highest rate that meets it. Rates that
 * miss the objective are hollow.
 */
export function kneeDrawing({ points, objective, greatestRate }: SweepResult): Drawing {
  const rows = points.flatMap((point) =>
    FIGURES.flatMap(([which, read]) => {
      const ms = read(point);
      return ms === null ? [] : [{ rate: point.rate, ms, which, isWithin: point.isWithin }];
    }),
  );
  const rate = logTicks(points.map((point) => point.rate));
  const ms = logTicks([objective.mostMs, ...rows.map((row) => row.ms)]);
  const dot = { x: "rate", y: "ms", stroke: "which", r: 3.5 } as const;
  return (_, isNarrow) => ({
    height: isNarrow ? 260 : 320,
    marginLeft: 48,
    marginRight: 24,
    marginBottom: 40,
    x: { type: "log", domain: rate.domain },
    y: { type: "log", domain: ms.domain },
    color: colourScale(KNEE_LEGEND),
    marks: [
      ...logAxisX(rate, "requests per second"),
      ...logAxisY(ms, "latency, ms"),
      Plot.ruleY([objective.mostMs], { stroke: "var(--bad)", strokeDasharray: "5 3" }),
      ...(greatestRate === null
        ? []
        : [Plot.ruleX([greatestRate], { stroke: "var(--good)", strokeDasharray: "5 3" })]),
      Plot.line(rows, { x: "rate", y: "ms", stroke: "which", strokeWidth: 1.6 }),
      Plot.dot(rows, { ...dot, fill: "which", filter: "isWithin" }),
      Plot.dot(rows, { ...dot, fill: "var(--page)", filter: (row) => !row.isWithin }),
    ],
  });
}
