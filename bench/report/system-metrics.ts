import { figure } from "../figures/format.ts";
import { median } from "../figures/statistics.ts";
import type { ScenarioResult } from "../measure/run-http.ts";
import type { Sample } from "../probes/sampler.ts";
import { type Cell, folded, table } from "./html.ts";

type Sampled = Pick<ScenarioResult, "operation" | "probes">;
/** A label with its unit, and the value for a scenario; null if it was not measured. */
type Row = [label: string, read: (sampled: Sampled) => number | null];

const LOOP = "irontrack_event_loop_delay_seconds";

const SERVER: Row[] = [
  [
    "event-loop delay, median of the medians per second, ms",
    (result) => scaled(median(metricOf(result, `${LOOP}{quantile="0.5"}`)), 1000),
  ],
  [
    "event-loop delay, max, ms",
    (result) => scaled(max(metricOf(result, `${LOOP}{quantile="1"}`)), 1000),
  ],
  [
    "garbage collection and compilation, % of a core",
    (result) => share(result, ({ server }) => server.helpers.cpuMs),
  ],
  ["heap, max, MiB", (result) => scaled(max(metricOf(result, "irontrack_heap_bytes")), 2 ** -20)],
  [
    "resident memory, max, MiB",
    ({ probes }) => max(probes.samples.map(({ server }) => server.residentMib)),
  ],
  [
    "password hashes waiting, max",
    (result) => max(metricOf(result, "irontrack_password_hashes_waiting")),
  ],
];

type Postgres = Sampled["probes"]["postgres"];
const postgres = (label: string, total: (counters: Postgres) => number): Row => [
  label,
  ({ probes }) => total(probes.postgres),
];
const POSTGRES: Row[] = [
  postgres("checkpoints", ({ checkpoints }) => sum(checkpoints, "timed", "requested")),
  postgres("buffers written by checkpoints", ({ checkpoints }) => sum(checkpoints, "buffers")),
  postgres("WAL records", ({ wal }) => sum(wal, "records")),
  postgres("full-page images in the WAL", ({ wal }) => sum(wal, "fullPages")),
  postgres("deadlocks", ({ database }) => sum(database, "deadlocks")),
];

type Device = keyof NonNullable<Sample["machine"]["device"]>;
const pressure = (resource: "cpu" | "io" | "memory", which: "some" | "full"): Row => [
  `PSI ${resource} ${which}, % of the time`,
  (result) => share(result, ({ machine }) => machine.pressure[resource]?.[`${which}Ms`] ?? null),
];
const device = (counter: Device) => (sample: Sample) => sample.machine.device?.[counter] ?? null;
const switchesOf = ({ machine }: Sample) => machine.contextSwitches;
const MACHINE: Row[] = [
  pressure("cpu", "some"),
  pressure("io", "some"),
  pressure("io", "full"),
  pressure("memory", "some"),
  [
    "context switches per second",
    // `share` is per 100 ms.
    (result) => scaled(share(result, switchesOf), 10),
  ],
  ["device utilisation, %", (result) => share(result, device("busyMs"))],
  ["device writes", (result) => increase(result, device("writes"))],
  ["device flushes", (result) => increase(result, device("flushes"))],
];

/** The server's metrics, PostgreSQL's counters and the machine's counters, collapsed. */
export function systemMetricsHtml(results: Sampled[]): string {
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
function share(result: Sampled, read: (sample: Sample) => number | null): number | null {
  const elapsedMs = increase(result, ({ atMs }) => atMs);
  return scaled(increase(result, read), 100 / (elapsedMs || Number.NaN));
}

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : value * by;
const max = (values: number[]): number | null => (values.length === 0 ? null : Math.max(...values));
const sum = (counts: Record<string, number>, ...names: string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);
