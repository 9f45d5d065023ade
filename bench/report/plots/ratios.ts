import * as Plot from "@observablehq/plot";
import { nameAxis, valueAxis } from "./axes.ts";
import type { Drawing } from "./figure.ts";

/** after / before with its 95 % interval. */
export type Ratio = { name: string; ratio: number; low: number; high: number };

/** Ratios with their intervals; `zone` is the equivalence margin around 1. */
export function ratiosDrawing(ratios: Ratio[], zone = 0): Drawing {
  const rows = ratios.map((ratio) => ({
    ...ratio,
    side: ratio.low > 1 + zone ? "more" : ratio.high < 1 - zone ? "less" : "neither",
  }));
  return (width, isNarrow) => ({
    height: 60 + rows.length * 30,
    marginLeft: isNarrow ? 120 : 210,
    marginRight: 20,
    marginTop: 6,
    marginBottom: 40,
    x: {
      ...valueAxis("after / before", width, 130),
      type: "log",
      tickFormat: (ratio: number) => String(+ratio.toFixed(3)),
    },
    y: nameAxis(rows.map(({ name }) => name)),
    color: {
      type: "ordinal",
      domain: ["more", "less", "neither"],
      range: ["var(--bad)", "var(--good)", "var(--dim)"],
    },
    marks: [
      ...(zone > 0
        ? [
            Plot.rect([0], {
              x1: 1 / (1 + zone),
              x2: 1 + zone,
              fill: "var(--dim)",
              fillOpacity: 0.16,
            }),
          ]
        : []),
      Plot.ruleX([1], { stroke: "currentColor" }),
      Plot.ruleY(rows, { x1: "low", x2: "high", y: "name", stroke: "side", strokeWidth: 2.5 }),
      Plot.dot(rows, { x: "ratio", y: "name", fill: "side", r: 4.5 }),
    ],
  });
}
