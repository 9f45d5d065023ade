import * as Plot from "@observablehq/plot";
import type { ScenarioResult } from "../../measure/run-http.ts";
import { nameAxis, valueAxis } from "./axes.ts";
import type { Drawing } from "./figure.ts";

/** Disk flushes per request of each operation; below one if requests share flushes. */
export function flushesDrawing(results: Pick<ScenarioResult, "operation" | "costs">[]): Drawing {
  const rows = results.map(({ operation, costs }) => ({ operation, flushes: costs.flushes }));
  return (width, isNarrow) => ({
    height: 44 + rows.length * 26,
    marginLeft: isNarrow ? 130 : 190,
    marginRight: 48,
    marginTop: 6,
    marginBottom: 38,
    x: valueAxis("flushes per request", width),
    y: { ...nameAxis(rows.map(({ operation }) => operation)), padding: 0.3 },
    marks: [
      Plot.barX(rows, { x: "flushes", y: "operation", fill: "var(--c6)" }),
      Plot.ruleX([0]),
      Plot.text(rows, {
        x: "flushes",
        y: "operation",
        text: ({ flushes }: { flushes: number }) => flushes.toFixed(2),
        textAnchor: "start",
        dx: 5,
        fill: "currentColor",
      }),
    ],
  });
}
