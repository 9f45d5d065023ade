import * as Plot from "@observablehq/plot";
import { figure } from "../../figures/format.ts";
import type { ScenarioResult } from "../../measure/run-http.ts";
import { SEGMENTS } from "../../measure/segments.ts";
import { SEGMENT_COLOURS } from "../colours.ts";
import { colourScale, nameAxis, valueAxis } from "./axes.ts";
import { type Drawing, type Legend, legendOf } from "./figure.ts";

type Attributed = Pick<ScenarioResult, "operation" | "attribution" | "figures">;

/** The segments that are not zero in every operation. */
const visibleSegments = (results: Attributed[]) =>
  SEGMENTS.map(([segment, name], n) => ({
    segment,
    name,
    colour: SEGMENT_COLOURS[n] as string,
  })).filter(({ segment }) =>
    results.some(({ attribution }) => Math.abs(attribution[segment] ?? 0) > 0.0005),
  );

export const attributionLegend = (results: Attributed[]): Legend =>
  legendOf(visibleSegments(results));

/**
 * The mean latency of each operation by segment, in ms or as shares. Time that was counted twice (a
 * negative unexplained rest) is left of zero.
 */
export function attributionDrawing(results: Attributed[], unit: "ms" | "share"): Drawing {
  const segments = visibleSegments(results);
  const legend = legendOf(segments);
  const unitMs = ({ figures }: Attributed) => (unit === "ms" ? 1 : figures.responseMs.mean);
  const rows = results.flatMap((result) =>
    segments.map(({ segment, name }) => ({
      operation: result.operation,
      name,
      part: (result.attribution[segment] ?? 0) / unitMs(result),
    })),
  );
  const means = results.map((result) => {
    const { operation, attribution, figures } = result;
    const sum = SEGMENTS.reduce(
      (sum, [segment]) => sum + Math.max(attribution[segment] ?? 0, 0),
      0,
    );
    return { operation, end: sum / unitMs(result), text: `${figure(figures.responseMs.mean)} ms` };
  });
  return (width, isNarrow) => ({
    height: isNarrow ? 66 + results.length * 42 : 44 + results.length * 30,
    marginLeft: isNarrow ? 8 : 190,
    marginRight: 64,
    marginTop: isNarrow ? 16 : 6,
    marginBottom: 38,
    x: {
      ...valueAxis(unit === "ms" ? "mean latency, ms" : "% of the mean latency", width),
      percent: unit === "share",
    },
    y: {
      ...nameAxis(results.map(({ operation }) => operation)),
      padding: isNarrow ? 0.55 : 0.28,
      axis: isNarrow ? null : "left",
    },
    color: colourScale(legend),
    marks: [
      Plot.barX(rows, {
        x: "part",
        y: "operation",
        fill: "name",
        order: legend.names,
        insetRight: 0.5,
      }),
      Plot.ruleX([0], { stroke: "currentColor" }),
      Plot.text(means, {
        x: "end",
        y: "operation",
        text: "text",
        textAnchor: "start",
        dx: 6,
        fill: "currentColor",
      }),
      ...(isNarrow
        ? [
            Plot.text(means, {
              x: () => 0,
              y: "operation",
              text: "operation",
              textAnchor: "start",
              dy: -17,
              fontWeight: 600,
            }),
          ]
        : []),
    ],
  });
}
