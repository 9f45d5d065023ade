import * as Plot from "@observablehq/plot";
import type { TableRow } from "../../figures/table.ts";
import { nameAxis, valueAxis } from "./axes.ts";
import type { Drawing } from "./figure.ts";

/**
 * One column of a table with its intervals. The axis is logarithmic if the means differ more than
 * thirtyfold.
 */
export function meansDrawing(rows: TableRow[], column: string, label: string): Drawing {
  const means = rows.flatMap(({ scenario, figures }) => {
    const { mean = Number.NaN, low, high } = figures[column] ?? {};
    return Number.isFinite(mean)
      ? [{ scenario, mean, low: Math.max(low ?? mean, 0), high: high ?? mean }]
      : [];
  });
  const values = means.map(({ mean }) => mean);
  const min = Math.min(...values);
  const isLog = min > 0 && Math.max(...values) > 30 * min;
  // A logarithmic axis cannot show an interval down to 0: cut it at a tenth of the mean.
  const bars = means.map((row) =>
    isLog ? { ...row, low: Math.max(row.low, row.mean / 10) } : row,
  );
  return (width, isNarrow) => ({
    height: 56 + means.length * 24,
    marginLeft: isNarrow ? 130 : 200,
    marginRight: 24,
    marginTop: 6,
    marginBottom: 38,
    x: {
      ...(isLog
        ? { type: "log" as const, tickFormat: (value: number) => String(value) }
        : { zero: true, nice: true }),
      ...valueAxis(label, width, 130),
    },
    y: nameAxis(means.map(({ scenario }) => scenario)),
    marks: [
      Plot.ruleY(bars, {
        x1: "low",
        x2: "high",
        y: "scenario",
        stroke: "var(--c0)",
        strokeWidth: 2.5,
      }),
      Plot.dot(means, { x: "mean", y: "scenario", fill: "var(--c0)", r: 4.5 }),
    ],
  });
}
