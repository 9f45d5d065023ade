import * as Plot from "@observablehq/plot";
import { figure } from "../../figures/format.ts";
import type { ScenarioResult } from "../../measure/run-http.ts";
import type { Sample } from "../../probes/sampler.ts";
import { waitClassOf } from "../../probes/waits.ts";
import { category } from "../colours.ts";
import { colourScale, nameAxis } from "./axes.ts";
import type { Drawing, Legend } from "./figure.ts";

type Sampled = Pick<ScenarioResult, "operation" | "probes" | "figures">;
export type Wait = { operation: string; event: string; kind: string; ms: number };

const KINDS = ["cpu", "disk", "diskOfOthers", "lock", "client", "other"] as const;
const NAMES = [
  "CPU, or waiting for a core",
  "disk",
  "another backend's flush",
  "lock",
  "client",
  "other",
];
const MAX_EVENTS = 14;

export const WAITS_LEGEND: Legend = { names: NAMES, colours: [1, 6, 3, 7, 9, 4].map(category) };

/** The sampled backend states in ms per request of each operation, the largest state first. */
export function waitsOf(results: Sampled[]): Wait[] {
  const all = results.flatMap(({ operation, probes: { samples }, figures }) => {
    const [first, last] = [samples[0], samples.at(-1)] as [Sample, Sample];
    const looks = last.waits.looks - first.waits.looks;
    const msOf = (count: number) => ((count / looks) * (last.atMs - first.atMs)) / figures.requests;
    return Object.entries(last.waits.events)
      .map(([event, total]) => ({ event, count: total - (first.waits.events[event] ?? 0) }))
      .filter(({ count }) => count > 0)
      .map(({ event, count }) => ({ operation, event, kind: kindOf(event), ms: msOf(count) }));
  });
  const byEvent = Map.groupBy(all, ({ event }) => event);
  const sumOf = (event: string) => (byEvent.get(event) ?? []).reduce((sum, { ms }) => sum + ms, 0);
  const events = [...byEvent.keys()].sort((a, b) => sumOf(b) - sumOf(a)).slice(0, MAX_EVENTS);
  return all
    .filter(({ event }) => events.includes(event))
    .sort((a, b) => events.indexOf(a.event) - events.indexOf(b.event));
}

/** A matrix of events (rows) and operations (columns); the size of a dot shows the time. */
export function waitsDrawing(waits: Wait[], operations: string[]): Drawing {
  const events = [...new Set(waits.map(({ event }) => event))];
  return (width, isNarrow) => {
    const marginLeft = isNarrow ? 150 : 210;
    const columnWidth = (width - marginLeft - 12) / operations.length;
    const hasValues = columnWidth >= 64;
    return {
      height: (columnWidth < 110 ? 130 : 40) + events.length * 30,
      marginLeft,
      marginTop: columnWidth < 110 ? 122 : 34,
      marginRight: 12,
      marginBottom: 6,
      x: {
        ...nameAxis(operations),
        axis: "top",
        ...(columnWidth < 110 ? { tickRotate: -60 } : {}),
      },
      y: nameAxis(events),
      r: { range: [1.5, 12], domain: [0, Math.max(...waits.map(({ ms }) => ms))] },
      color: colourScale(WAITS_LEGEND),
      marks: [
        Plot.gridX({ stroke: "var(--line)", strokeOpacity: 1 }),
        Plot.gridY({ stroke: "var(--line)", strokeOpacity: 1 }),
        Plot.dot(waits, {
          x: "operation",
          y: "event",
          r: "ms",
          fill: "kind",
          stroke: "var(--page)",
        }),
        ...(hasValues
          ? [
              Plot.text(waits, {
                x: "operation",
                y: "event",
                text: ({ ms }: Wait) => figure(ms),
                textAnchor: "start",
                dx: 15,
              }),
            ]
          : []),
      ],
    };
  };
}

function kindOf(event: string): string {
  const [type = "", name = ""] = event.split(":");
  const kind =
    event === "CPU" ? "cpu" : event === "idle in transaction" ? "client" : waitClassOf(type, name);
  return NAMES[KINDS.indexOf(kind)] as string;
}
