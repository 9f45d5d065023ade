import * as Plot from "@observablehq/plot";
import type { ScenarioResult } from "../../measure/run-http.ts";
import type { Sample } from "../../probes/sampler.ts";
import { category } from "../colours.ts";
import { type Drawing, type Legend, thinned } from "./figure.ts";

type Sampled = Pick<ScenarioResult, "probes">;

/** Something that grows by at most a ms in a ms of each who uses it; null where it is not known. */
type Counter = { name: string; read(sample: Sample): number | null; isDoubtful?: boolean };

const CPU: Counter[] = [
  { name: "server", read: ({ server }) => server.main.cpuMs + server.pool.cpuMs },
  { name: "server: garbage, compiling", read: ({ server }) => server.helpers.cpuMs },
  { name: "PostgreSQL for clients", read: ({ backends }) => backends.main.cpuMs },
  { name: "PostgreSQL in the background", read: ({ background }) => background.main.cpuMs },
  { name: "proxy", read: ({ proxy }) => proxy?.main.cpuMs ?? null },
  { name: "pooler", read: ({ pooler }) => pooler?.main.cpuMs ?? null },
];

const WAITS: Counter[] = [
  { name: "PostgreSQL, as its flushes and reads took", read: ({ disk }) => disk.waitedMs },
  {
    name: "block-I/O delay of PostgreSQL",
    read: ({ backends, background }) => backends.blockIoMs + background.blockIoMs,
  },
  {
    name: "pressure: some task waited (PSI)",
    read: ({ machine }) => machine.pressure.io?.someMs ?? null,
  },
  { name: "iowait (unreliable)", read: ({ machine }) => machine.ioWaitMs, isDoubtful: true },
];

/** CPU that each process had, of one processor. */
export const cpuDrawing = (result: Sampled): Drawing => drawingOf(result, CPU);
export const cpuLegend = (result: Sampled): Legend => legendOf(result, CPU);

/**
 * What was waited for the disk, of the time that went by. Block-I/O delay only where the kernel
 * counts it.
 */
export const ioWaitDrawing = (result: Sampled): Drawing => drawingOf(result, waitsOf(result));
export const ioWaitLegend = (result: Sampled): Legend => legendOf(result, waitsOf(result));

const waitsOf = ({ probes }: Sampled) =>
  WAITS.filter(({ name }) => probes.isBlockIoAccounted || !name.startsWith("block-I/O"));

const known = ({ probes: { samples } }: Sampled, counters: Counter[]) =>
  counters
    .map((counter, n) => ({ ...counter, colour: category(n) }))
    .filter(({ read }) => samples[0] !== undefined && read(samples[0]) !== null);

function legendOf(result: Sampled, counters: Counter[]): Legend {
  const shown = known(result, counters);
  return { names: shown.map(({ name }) => name), colours: shown.map(({ colour }) => colour) };
}

function drawingOf(result: Sampled, counters: Counter[]): Drawing {
  const samples = thinned(result.probes.samples, 61);
  const shown = known(result, counters);
  const marks = shown.map(({ read, colour, isDoubtful }) => {
    const rows = samples.slice(1).map((sample, at) => {
      const before = samples[at] as Sample;
      // Less than before when a thread has ended.
      const grown = Math.max((read(sample) ?? 0) - (read(before) ?? 0), 0);
      return { s: sample.atMs / 1000, share: grown / (sample.atMs - before.atMs) };
    });
    const stroke = {
      stroke: colour,
      strokeWidth: 1.5,
      ...(isDoubtful ? { strokeDasharray: "2 3" } : {}),
    };
    return Plot.line(rows, { x: "s", y: "share", ...stroke });
  });
  return () => ({
    height: 170,
    marginLeft: 44,
    marginRight: 12,
    x: { label: "second", labelArrow: "none", ticks: 6 },
    y: {
      label: "% of one",
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
