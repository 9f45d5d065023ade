import type { Interval } from "../figures/interval.ts";
import { SEGMENTS } from "../measure/attribution.ts";
import type { RunResult, ScenarioResult } from "../measure/run-http.ts";
import type { StatementCounts } from "../probes/postgres-counters.ts";
import { type Cell, escaped, figure, table } from "./html.ts";
import type { Wait } from "./plots/waits.ts";

const plusMinus = ({ mean, high }: Interval) =>
  high === null ? figure(mean) : `${figure(mean)} ± ${figure(high - mean)}`;

/** Whether anybody was told to come again later: what that says is left out of other pages. */
export const hasRefused = (results: ScenarioResult[]): boolean =>
  results.some(({ figures }) => figures.refused);

/** Response times of each operation, of the parts of a mix too. */
export function timesTable(results: ScenarioResult[]): string {
  const head = [
    "",
    "requests",
    "a second",
    "mean",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "most",
    "p99 from sending",
    "sent late, p99",
    ...(hasRefused(results) ? ["refused"] : []),
    "failures",
  ];
  const row = (
    name: string,
    { figures }: Pick<ScenarioResult, "figures">,
    mean: string,
    isPart: boolean,
  ): Cell[] => {
    const {
      responseMs,
      serviceMs,
      sendLagMs,
      requests,
      perSecond,
      failures,
      refused = 0,
    } = figures;
    return [
      name,
      String(requests),
      isPart ? "" : figure(perSecond),
      mean,
      ...([0.5, 0.9, 0.99, 0.999] as const).map((share) => figure(responseMs.percentiles[share])),
      figure(responseMs.max),
      figure(serviceMs.percentiles[0.99]),
      figure(sendLagMs.percentiles[0.99]),
      ...(hasRefused(results) ? [String(refused)] : []),
      String(failures - refused),
    ];
  };
  const rows = results.flatMap((result) => [
    row(result.operation, result, plusMinus(result.intervals.meanMs), false),
    ...result.parts.map((part) =>
      row(`… ${part.operation}`, part, figure(part.figures.responseMs.mean), true),
    ),
  ]);
  return table(
    "Response times in ms, from when a request was due; the mean with its 95 % interval over runs",
    head,
    rows,
  );
}

/** What a mean response is made of, in ms. */
export function segmentsTable(results: ScenarioResult[]): string {
  const rows = SEGMENTS.map(([segment, label]) => [
    label,
    ...results.map(({ attribution }) =>
      attribution[segment] === null ? "not measured" : figure(attribution[segment]),
    ),
  ]);
  return table(
    "Parts of the mean response, ms",
    ["", ...results.map(({ operation }) => operation)],
    rows,
  );
}

export function waitsTable(waits: Wait[]): string {
  const operations = [...new Set(waits.map(({ operation }) => operation))];
  const rows = [...Map.groupBy(waits, ({ event }) => event)].map(([event, seen]) => [
    event,
    ...operations.map((operation) => figure(seen.find((one) => one.operation === operation)?.ms)),
  ]);
  return table("What backends were seen in, ms a request", ["", ...operations], rows);
}

/** What a request of each operation cost, as it was under this load. */
export function countsTable(results: ScenarioResult[]): string {
  const head = [
    "",
    "statements",
    "rows",
    "pages hit",
    "pages read",
    "WAL bytes",
    "commits",
    "flushes",
    "wake-ups",
    "server CPU, ms",
    "PostgreSQL CPU, ms",
  ];
  const rows = results.map(({ operation, figures, probes: { postgres }, costs }) => {
    const each = (value: number | undefined) => figure((value ?? 0) / figures.requests);
    const rowCount = postgres.statements.reduce((sum, { rows }) => sum + rows, 0);
    return [
      operation,
      ...[postgres.calls, rowCount, postgres.database.blocksHit, postgres.database.blocksRead].map(
        each,
      ),
      ...[postgres.wal.bytes, postgres.database.commits].map(each),
      costs.flushes.toFixed(2),
      figure(costs.wakes),
      figure(costs.serverTotalCpu),
      figure(costs.postgresTotalCpu),
    ];
  });
  return table("Costs of one request under load", head, rows);
}

type Statement = StatementCounts & { operation: string };
const MAX_STATEMENTS = 12;
/** What takes less than this part of the first is of no interest. */
const MIN_PART = 500;

/**
 * The statements that took longest, and those that kept the disk busiest: by reading, then by what
 * they wrote.
 */
export function statementTables(results: ScenarioResult[]): { byTime: string; byDisk: string } {
  const all = results.flatMap(({ operation, probes }) =>
    probes.postgres.statements.map((statement): Statement => ({ operation, ...statement })),
  );
  const slowest = all.toSorted((a, b) => b.totalMs - a.totalMs).slice(0, MAX_STATEMENTS);
  const byTime = slowest.filter(({ totalMs }) => totalMs * MIN_PART >= (slowest[0]?.totalMs ?? 0));
  const byDisk = all
    .filter(({ blocksRead, walBytes }) => blocksRead > 0 || walBytes > 0)
    .sort((a, b) => b.readMs - a.readMs || b.blocksRead - a.blocksRead || b.walBytes - a.walBytes)
    .slice(0, MAX_STATEMENTS);
  const mostMs = byTime[0]?.totalMs ?? 1;
  const mostBytes = Math.max(...byDisk.map(({ walBytes }) => walBytes), 1);
  return {
    byTime: table(
      "Statements by time (pg_stat_statements)",
      ["", "statement", "calls", "ms together", "ms each", "rows each"],
      byTime.map(({ operation, query, calls, totalMs, rows }) => [
        ...[operation, sql(query), String(calls), bar(figure(totalMs), totalMs / mostMs)],
        ...[figure(totalMs / calls), figure(rows / calls)],
      ]),
      "left",
    ),
    byDisk: table(
      "Statements by disk (pg_stat_statements)",
      [
        "",
        "statement",
        "calls",
        "pages read",
        "ms of reading",
        "WAL bytes together",
        "WAL bytes each",
      ],
      byDisk.map(({ operation, query, calls, blocksRead, readMs, walBytes }) => [
        ...[operation, sql(query), String(calls), figure(blocksRead), figure(readMs)],
        ...[bar(figure(walBytes), walBytes / mostBytes), figure(walBytes / calls)],
      ]),
      "left",
    ),
  };
}

/** What the disk was found to be just before the run. */
export function diskTable({ disk }: RunResult): string {
  const rows = disk.grouping.map(({ clients, commitsPerSecond, commitsPerFlush }) => [
    `${clients} ${clients === 1 ? "client" : "clients"}`,
    figure(commitsPerSecond),
    commitsPerFlush.toFixed(2),
  ]);
  return table(
    "How clients shared flushes, before the run",
    ["", "commits a second", "commits a flush"],
    rows,
  );
}

const SHORT = 52;

function sql(query: string): Cell {
  const text = query.replace(/\s+/g, " ").trim();
  if (text.length <= SHORT) return { html: `<code class="sql">${escaped(text)}</code>` };
  return {
    html: `<details class="sql"><summary><code>${escaped(text.slice(0, SHORT))}…</code></summary><code>${escaped(text)}</code></details>`,
  };
}

const bar = (text: string, share: number): Cell => ({
  html: `<span class="bar" style="--share:${(share * 100).toFixed(0)}%">${escaped(text)}</span>`,
});
