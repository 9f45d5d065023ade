import * as Plot from "@observablehq/plot";
import { figure } from "../../figures/format.ts";
import type { ScenarioResult } from "../../measure/run-http.ts";
import { SEGMENTS, type Segment } from "../../measure/segments.ts";
import { SEGMENT_COLOURS } from "../colours.ts";
import type { Drawing, Legend } from "./figure.ts";

type Attributed = Pick<ScenarioResult, "operation" | "attribution" | "figures">;

/** The segments that are not zero in every operation. */
function visibleSegments(
  results: Attributed[],
): { segment: Segment; label: string; colour: string }[] {
  return SEGMENTS.map(([segment, label], n) => ({
    segment,
    label,
    colour: SEGMENT_COLOURS[n] as string,
  })).filter(({ segment }) =>
    results.some(({ attribution }) => Math.abs(attribution[segment] ?? 0) > 0.0005),
  );
}

export function attributionLegend(results: Attributed[]): Legend {
  const segments = visibleSegments(results);
  return {
    names: segments.map(({ label }) => label),
    colours: segments.map(({ colour }) => colour),
  };
}

/**
 * The mean latency of each operation by segment, in ms or as shares. Time that was counted twice (a
 * negative unexplained rest) is left of zero.
 */
export function attributionDrawing(results: Attributed[], unit: "ms" | "share"): Drawing {
  const segments = visibleSegments(results);
  const labels = segments.map(({ label }) => label);
  const unitMs = ({ figures }: Attributed) => (unit === "ms" ? 1 : figures.responseMs.mean);
  const rows = results.flatMap((result) =>
    segments.map(({ segment, label }) => ({
      operation: result.operation,
      label,
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
      label: unit === "ms" ? "mean latency, ms" : "% of the mean latency",
      percent: unit === "share",
      labelAnchor: "center",
      labelArrow: "none",
      grid: true,
      ticks: width / 110,
    },
    y: {
      label: null,
      domain: results.map(({ operation }) => operation),
      padding: isNarrow ? 0.55 : 0.28,
      axis: isNarrow ? null : "left",
      tickSize: 0,
    },
    color: { type: "ordinal", domain: labels, range: segments.map(({ colour }) => colour) },
    marks: [
      Plot.barX(rows, { x: "part", y: "operation", fill: "label", order: labels, insetRight: 0.5 }),
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
