import { median } from "../figures/statistics.ts";
import type { ScenarioResult } from "../measure/run-http.ts";
import type { Pressure } from "../probes/machine.ts";
import type { Sample } from "../probes/sampler.ts";
import { type Cell, figure, folded, table } from "./html.ts";

type Sampled = Pick<ScenarioResult, "operation" | "probes">;
/** What a scenario's samples come to, in the row's unit; null where it was not measured. */
type Row = [what: string, of: (sampled: Sampled) => number | null];

const LOOP = "irontrack_event_loop_delay_seconds";

const SERVER: Row[] = [
  [
    "event loop late, middle of the seconds' medians, ms",
    (one) => scaled(median(said(one, `${LOOP}{quantile="0.5"}`)), 1000),
  ],
  ["event loop late, most, ms", (one) => scaled(most(said(one, `${LOOP}{quantile="1"}`)), 1000)],
  [
    "garbage and compiling, % of a processor",
    (one) => share(one, ({ server }) => server.helpers.cpuMs),
  ],
  ["heap, most, MiB", (one) => scaled(most(said(one, "irontrack_heap_bytes")), 2 ** -20)],
  [
    "memory, most, MiB",
    ({ probes }) => most(probes.samples.map(({ server }) => server.residentMib)),
  ],
  ["password hashes waiting, most", (one) => most(said(one, "irontrack_password_hashes_waiting"))],
];

const POSTGRES: Row[] = [
  ["checkpoints", ({ probes: { postgres } }) => sum(postgres.checkpoints, "timed", "requested")],
  ["buffers that they wrote", ({ probes: { postgres } }) => sum(postgres.checkpoints, "buffers")],
  ["WAL records", ({ probes: { postgres } }) => sum(postgres.wal, "records")],
  ["whole pages in the WAL", ({ probes: { postgres } }) => sum(postgres.wal, "fullPages")],
  ["deadlocks", ({ probes: { postgres } }) => sum(postgres.database, "deadlocks")],
];

const MACHINE: Row[] = [
  [
    "some task waited for a processor (PSI), % of the time",
    (one) => pressure(one, "cpu", "someMs"),
  ],
  ["some task waited for the disk (PSI), %", (one) => pressure(one, "io", "someMs")],
  ["all tasks waited for the disk (PSI), %", (one) => pressure(one, "io", "fullMs")],
  ["some task waited for memory (PSI), %", (one) => pressure(one, "memory", "someMs")],
  [
    "context switches a second",
    (one) =>
      scaled(
        share(one, ({ machine }) => machine.contextSwitches),
        10,
      ),
  ],
  [
    "the device was busy, % of the time",
    (one) => share(one, ({ machine }) => machine.device?.busyMs ?? null),
  ],
  ["the device's writes", (one) => grown(one, ({ machine }) => machine.device?.writes ?? null)],
  ["the device's flushes", (one) => grown(one, ({ machine }) => machine.device?.flushes ?? null)],
];

/** What was sampled besides: the server's own words, PostgreSQL's counters, the machine. Folded. */
export function meanwhileHtml(results: Sampled[]): string {
  const of = (caption: string, rows: Row[]) => table(caption, head(results), rowsOf(results, rows));
  return folded(
    "What the server, PostgreSQL and the machine did meanwhile",
    `${of("The server", SERVER)}${of("PostgreSQL", POSTGRES)}${ioTable(results)}${of("The machine, whoever used it", MACHINE)}`,
  );
}

const head = (results: Sampled[]) => ["", ...results.map(({ operation }) => operation)];

const rowsOf = (results: Sampled[], rows: Row[]): Cell[][] =>
  rows.map(([what, of]) => [what, ...results.map((result) => figure(of(result)))]);

/** What pg_stat_io counted: how often, and how long together; what nobody did is left out. */
function ioTable(results: Sampled[]): string {
  const names = new Set(results.flatMap(({ probes }) => Object.keys(probes.postgres.io)));
  const counted = [...names].filter((name) => !name.endsWith(" ms")).sort();
  const done = (name: string) => results.some(({ probes }) => (probes.postgres.io[name] ?? 0) > 0);
  const rows = counted.filter(done).map((name): Cell[] => [
    name,
    ...results.map(({ probes: { postgres } }) => {
      const count = postgres.io[name] ?? 0;
      return count === 0 ? "–" : `${figure(count)} in ${figure(postgres.io[`${name} ms`])} ms`;
    }),
  ]);
  return rows.length === 0
    ? ""
    : table("Files and WAL, by who did what (pg_stat_io)", head(results), rows);
}

/** What the server said in each second since the start; the first words are of the time before. */
const said = ({ probes }: Sampled, name: string): number[] =>
  probes.samples.slice(1).flatMap(({ metrics }) => metrics?.[name] ?? []);

/** By how much something grew from the first sample to the last. */
function grown(
  { probes: { samples } }: Sampled,
  of: (sample: Sample) => number | null,
): number | null {
  const [first, last] = [samples[0], samples.at(-1)];
  const [from, to] = [first && of(first), last && of(last)];
  return from == null || to == null ? null : Math.max(to - from, 0);
}

/** Of ms that are counted, as % of the time. */
function share(one: Sampled, of: (sample: Sample) => number | null): number | null {
  const lastedMs = grown(one, ({ atMs }) => atMs);
  return scaled(grown(one, of), 100 / (lastedMs || Number.NaN));
}

const pressure = (one: Sampled, of: "cpu" | "io" | "memory", which: keyof Pressure) =>
  share(one, ({ machine }) => machine.pressure[of]?.[which] ?? null);

const scaled = (value: number | null, by: number): number | null =>
  value === null ? null : value * by;
const most = (values: number[]): number | null =>
  values.length === 0 ? null : Math.max(...values);
const sum = (counts: Record<string, number>, ...names: string[]): number =>
  names.reduce((total, name) => total + (counts[name] ?? 0), 0);
