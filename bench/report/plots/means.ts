import * as Plot from "@observablehq/plot";
import type { TableRow } from "../../figures/table.ts";
import type { Drawing } from "./figure.ts";

/**
 * One figure of each scenario with its interval; on a logarithmic axis where some are thirty times
 * others.
 */
export function meansDrawing(rows: TableRow[], column: string, label: string): Drawing {
  const drawn = rows.flatMap(({ scenario, figures }) => {
    const { mean = Number.NaN, low, high } = figures[column] ?? {};
    return Number.isFinite(mean)
      ? [{ scenario, mean, low: Math.max(low ?? mean, 0), high: high ?? mean }]
      : [];
  });
  const least = Math.min(...drawn.map(({ mean }) => mean));
  const isLog = least > 0 && Math.max(...drawn.map(({ mean }) => mean)) > 30 * least;
  // An interval that reaches 0 has no place on a logarithmic axis: it ends at a tenth of its mean.
  const bars = drawn.map((one) =>
    isLog ? { ...one, low: Math.max(one.low, one.mean / 10) } : one,
  );
  return (width, isNarrow) => ({
    height: 56 + drawn.length * 24,
    marginLeft: isNarrow ? 130 : 200,
    marginRight: 24,
    marginTop: 6,
    marginBottom: 38,
    x: {
      ...(isLog
        ? { type: "log" as const, tickFormat: (value: number) => String(value) }
        : { zero: true, nice: true }),
      ...{
        label,
        labelAnchor: "center" as const,
        labelArrow: "none" as const,
        grid: true,
        ticks: width / 130,
      },
    },
    y: { label: null, domain: drawn.map(({ scenario }) => scenario), tickSize: 0 },
    marks: [
      Plot.ruleY(bars, {
        x1: "low",
        x2: "high",
        y: "scenario",
        stroke: "var(--c0)",
        strokeWidth: 2.5,
      }),
      Plot.dot(drawn, { x: "mean", y: "scenario", fill: "var(--c0)", r: 4.5 }),
    ],
  });
}
