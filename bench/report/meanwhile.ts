import { median } from "../figures/statistics.ts";
import type { ScenarioResult } from "../measure/run-http.ts";
import type { Pressure } from "../probes/machine.ts";
import type { Sample } from "../probes/sampler.ts";
import { type Cell, figure, folded, table } from "./html.ts";

type Sampled = Pick<ScenarioResult, "operation" | "probes">;
/** A label with its unit, and the value for a scenario; null if it was not measured. */
type Row = [label: string, read: (sampled: Sampled) => number | null];

const LOOP = "irontrack_event_loop_delay_seconds";

const SERVER: Row[] = [
  [
    "event-loop delay, median of the medians per second, ms",
    (one) => scaled(median(metricOf(one, `${LOOP}{quantile="0.5"}`)), 1000),
  ],
  ["event-loop delay, max, ms", (one) => scaled(max(metricOf(one, `${LOOP}{quantile="1"}`)), 1000)],
  [
    "garbage collection and compilation, % of a core",
    (one) => share(one, ({ server }) => server.helpers.cpuMs),
  ],
  ["heap, max, MiB", (one) => scaled(max(metricOf(one, "irontrack_heap_bytes")), 2 ** -20)],
  [
    "resident memory, max, MiB",
    ({ probes }) => max(probes.samples.map(({ server }) => server.residentMib)),
  ],
  [
    "password hashes waiting, max",
    (one) => max(metricOf(one, "irontrack_password_hashes_waiting")),
  ],
];

const POSTGRES: Row[] = [
  ["checkpoints", ({ probes: { postgres } }) => sum(postgres.checkpoints, "timed", "requested")],
  [
    "buffers written by checkpoints",
    ({ probes: { postgres } }) => sum(postgres.checkpoints, "buffers"),
  ],
  ["WAL records", ({ probes: { postgres } }) => sum(postgres.wal, "records")],
  ["full-page images in the WAL", ({ probes: { postgres } }) => sum(postgres.wal, "fullPages")],
  ["deadlocks", ({ probes: { postgres } }) => sum(postgres.database, "deadlocks")],
];

const MACHINE: Row[] = [
  ["PSI cpu some, % of the time", (one) => pressure(one, "cpu", "someMs")],
  ["PSI io some, % of the time", (one) => pressure(one, "io", "someMs")],
  ["PSI io full, % of the time", (one) => pressure(one, "io", "fullMs")],
  ["PSI memory some, % of the time", (one) => pressure(one, "memory", "someMs")],
  [
    "context switches per second",
    (one) =>
      scaled(
        share(one, ({ machine }) => machine.contextSwitches),
        10,
      ),
  ],
  ["device utilisation, %", (one) => share(one, ({ machine }) => machine.device?.busyMs ?? null)],
  ["device writes", (one) => increase(one, ({ machine }) => machine.device?.writes ?? null)],
  ["device flushes", (one) => increase(one, ({ machine }) => machine.device?.flushes ?? null)],
];

/** The server's metrics, PostgreSQL's counters and the machine's counters, collapsed. */
export function meanwhileHtml(results: Sampled[]): string {
  const metrics = (caption: string, rows: Row[]) =>
    table(caption, head(results), rowsOf(results, rows));
  return folded(
    "Metrics of the server, PostgreSQL and the machine",
    `${metrics("Server", SERVER)}${metrics("PostgreSQL", POSTGRES)}${ioTable(results)}${metrics("Machine, all processes", MACHINE)}`,
  );
}

const head = (results: Sampled[]) => ["", ...results.map(({ operation }) => operation)];

const rowsOf = (results: Sampled[], rows: Row[]): Cell[][] =>
  rows.map(([label, read]) => [label, ...results.map((result) => figure(read(result)))]);

/** Counts and total times from pg_stat_io; rows without any operation are left out. */
function ioTable(results: Sampled[]): string {
  const names = new Set(results.flatMap(({ probes }) => Object.keys(probes.postgres.io)));
  const counted = [...names].filter((name) => !name.endsWith(" ms")).sort();
  const hasCount = (name: string) =>
    results.some(({ probes }) => (probes.postgres.io[name] ?? 0) > 0);
  const rows = counted.filter(hasCount).map((name): Cell[] => [
    name,
    ...results.map(({ probes: { postgres } }) => {
      const count = postgres.io[name] ?? 0;
      return count === 0 ? "–" : `${figure(count)} in ${figure(postgres.io[`${name} ms`])} ms`;
    }),
  ]);
  return rows.length === 0
    ? ""
    : table("File and WAL I/O by backend type (pg_stat_io)", head(results), rows);
}

/** A metric per second; the first sample covers the time before the run. */
const metricOf = ({ probes }: Sampled, name: string): number[] =>
  probes.samples.slice(1).flatMap(({ metrics }) => metrics?.[name] ?? []);

/** The increase of a counter from the first sample to the last. */
function increase(
  { probes: { samples } }: Sampled,
  read: (sample: Sample) => number | null,
): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  const [from, to] = [first && read(first), last && read(last)];
  return from == null || to == null ? null : Math.max(to - from, 0);
}

/** The increase of a counter of ms as % of the elapsed time. */
function share(one: Sampled, read: (sample: Sample) => number | null): number | null {
  const elapsedMs = increase(one, ({ atMs }) => atMs);
  return scaled(increase(one, read), 100 / (elapsedMs || Number.NaN));
}

const pressure = (one: Sampled, resource: "cpu" | "io" | "memory", which: keyof Pressure) =>
  share(one, ({ machine }) => machine.pressure[resource]?.[which] ?? null);

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : value * by;
const max = (values: number[]): number | null => (values.length === 0 ? null : Math.max(...values));
const sum = (counts: Record<string, number>, ...names: string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);
