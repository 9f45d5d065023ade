import * as Plot from "@observablehq/plot";
import type { ScenarioResult } from "../../measure/run-http.ts";
import type { Sample } from "../../probes/sampler.ts";
import { category } from "../colours.ts";
import { SECONDS_AXIS } from "./axes.ts";
import { type Drawing, type Legend, legendOf, thinned } from "./figure.ts";

type Sampled = Pick<ScenarioResult, "probes">;

/** A counter of ms, at most one per ms and user of the resource; null if it is not available. */
type Counter = { name: string; read(sample: Sample): number | null; isUnreliable?: boolean };

const CPU: Counter[] = [
  { name: "server", read: ({ server }) => server.main.cpuMs + server.pool.cpuMs },
  { name: "server: GC and compiler", read: ({ server }) => server.helpers.cpuMs },
  { name: "PostgreSQL backends", read: ({ backends }) => backends.main.cpuMs },
  { name: "PostgreSQL background", read: ({ background }) => background.main.cpuMs },
  { name: "proxy", read: ({ proxy }) => proxy?.main.cpuMs ?? null },
  { name: "pooler", read: ({ pooler }) => pooler?.main.cpuMs ?? null },
];

const WAITS: Counter[] = [
  { name: "PostgreSQL flushes and reads", read: ({ disk }) => disk.waitedMs },
  {
    name: "block-I/O delay of PostgreSQL",
    read: ({ backends, background }) => backends.blockIoMs + background.blockIoMs,
  },
  {
    name: "PSI io some",
    read: ({ machine }) => machine.pressure.io?.someMs ?? null,
  },
  { name: "iowait (unreliable)", read: ({ machine }) => machine.ioWaitMs, isUnreliable: true },
];

/** The CPU of each process as a share of one core. */
export const cpuDrawing = (result: Sampled): Drawing => drawingOf(result, CPU);
export const cpuLegend = (result: Sampled): Legend => legendOf(availableCounters(result, CPU));

/** Disk waits as a share of elapsed time; block-I/O delay only if the kernel accounts it. */
export const ioWaitDrawing = (result: Sampled): Drawing => drawingOf(result, waitsOf(result));
export const ioWaitLegend = (result: Sampled): Legend =>
  legendOf(availableCounters(result, waitsOf(result)));

const waitsOf = ({ probes }: Sampled) =>
  WAITS.filter(({ name }) => probes.isBlockIoAccounted || !name.startsWith("block-I/O"));

const availableCounters = ({ probes: { samples } }: Sampled, counters: Counter[]) =>
  counters
    .map((counter, n) => ({ ...counter, colour: category(n) }))
    .filter(({ read }) => samples[0] !== undefined && read(samples[0]) !== null);

function drawingOf(result: Sampled, counters: Counter[]): Drawing {
  const samples = thinned(result.probes.samples, 61);
  const marks = availableCounters(result, counters).map(({ read, colour, isUnreliable }) => {
    const rows = samples.slice(1).map((sample, n) => {
      const before = samples[n] as Sample;
      // The sum falls when a thread ends.
      const increase = Math.max((read(sample) ?? 0) - (read(before) ?? 0), 0);
      return { s: sample.atMs / 1000, share: increase / (sample.atMs - before.atMs) };
    });
    return Plot.line(rows, {
      x: "s",
      y: "share",
      stroke: colour,
      strokeWidth: 1.5,
      ...(isUnreliable ? { strokeDasharray: "2 3" } : {}),
    });
  });
  return () => ({
    height: 170,
    marginLeft: 44,
    marginRight: 12,
    x: SECONDS_AXIS,
    y: {
      label: "%",
      percent: true,
      grid: true,
      zero: true,
      ticks: 4,
      labelArrow: "none",
      nice: true,
    },
    marks: [Plot.ruleY([0]), ...marks],
  });
}
