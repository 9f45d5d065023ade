import { figure, meanText } from "../figures/format.ts";
import type { RunResult, ScenarioResult } from "../measure/run-http.ts";
import { SEGMENTS } from "../measure/segments.ts";
import type { StatementCounts } from "../probes/postgres-counters.ts";
import { type Cell, escaped, table } from "./html.ts";
import type { Wait } from "./plots/waits.ts";

/** Whether any request was refused (503 with Retry-After); other pages omit that column. */
export const hasRefused = (results: ScenarioResult[]): boolean =>
  results.some(({ figures }) => figures.refused);

/** Latency of each operation, and of each operation within a mix. */
export function timesTable(results: ScenarioResult[]): string {
  const head = [
    "",
    "requests",
    "per second",
    "mean",
    "p50",
    "p90",
    "p99",
    "p99.9",
    "max",
    "p99 service time",
    "send delay, p99",
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
    row(result.operation, result, meanText(result.intervals.meanMs), false),
    ...result.parts.map((part) =>
      row(`… ${part.operation}`, part, figure(part.figures.responseMs.mean), true),
    ),
  ]);
  return table(
    "Latency in ms from the intended send time; the mean with its 95 % interval over runs",
    head,
    rows,
  );
}

/** The segments of the mean latency, in ms. */
export function segmentsTable(results: ScenarioResult[]): string {
  const rows = SEGMENTS.map(([segment, label]) => [
    label,
    ...results.map(({ attribution }) =>
      attribution[segment] === null ? "not measured" : figure(attribution[segment]),
    ),
  ]);
  return table(
    "Segments of the mean latency, ms",
    ["", ...results.map(({ operation }) => operation)],
    rows,
  );
}

export function waitsTable(waits: Wait[]): string {
  const operations = [...new Set(waits.map(({ operation }) => operation))];
  const rows = [...Map.groupBy(waits, ({ event }) => event)].map(([event, ofEvent]) => [
    event,
    ...operations.map((name) => figure(ofEvent.find(({ operation }) => operation === name)?.ms)),
  ]);
  return table("Backend states, ms per request", ["", ...operations], rows);
}

/** The cost of one request of each operation under this load. */
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
    const perRequest = (value: number | undefined) => figure((value ?? 0) / figures.requests);
    const rowCount = postgres.statements.reduce((sum, { rows }) => sum + rows, 0);
    return [
      operation,
      ...[postgres.calls, rowCount, postgres.database.blocksHit, postgres.database.blocksRead].map(
        perRequest,
      ),
      ...[postgres.wal.bytes, postgres.database.commits].map(perRequest),
      costs.flushes.toFixed(2),
      figure(costs.wakes),
      figure(costs.serverTotalCpu),
      figure(costs.postgresTotalCpu),
    ];
  });
  return table("Cost of one request under load", head, rows);
}

type Statement = StatementCounts & { operation: string };
const MAX_STATEMENTS = 12;
/** Statements that take less than 1/500 of the slowest one's time are omitted. */
const MIN_SHARE = 1 / 500;

/** The slowest statements, and those with the most disk reads and WAL. */
export function statementTables(results: ScenarioResult[]): { byTime: string; byDisk: string } {
  const all = results.flatMap(({ operation, probes }) =>
    probes.postgres.statements.map((statement): Statement => ({ operation, ...statement })),
  );
  const slowest = all.toSorted((a, b) => b.totalMs - a.totalMs).slice(0, MAX_STATEMENTS);
  const byTime = slowest.filter(({ totalMs }) => totalMs >= MIN_SHARE * (slowest[0]?.totalMs ?? 0));
  const byDisk = all
    .filter(({ blocksRead, walBytes }) => blocksRead > 0 || walBytes > 0)
    .sort((a, b) => b.readMs - a.readMs || b.blocksRead - a.blocksRead || b.walBytes - a.walBytes)
    .slice(0, MAX_STATEMENTS);
  const mostMs = byTime[0]?.totalMs ?? 1;
  const mostBytes = Math.max(...byDisk.map(({ walBytes }) => walBytes), 1);
  return {
    byTime: table(
      "Statements by time (pg_stat_statements)",
      ["", "statement", "calls", "total ms", "ms per call", "rows per call"],
      byTime.map(({ operation, query, calls, totalMs, rows }) => [
        ...[operation, sql(query), String(calls), bar(figure(totalMs), totalMs / mostMs)],
        ...[figure(totalMs / calls), figure(rows / calls)],
      ]),
      "left",
    ),
    byDisk: table(
      "Statements by disk (pg_stat_statements)",
      ["", "statement", "calls", "pages read", "read ms", "total WAL bytes", "WAL bytes per call"],
      byDisk.map(({ operation, query, calls, blocksRead, readMs, walBytes }) => [
        ...[operation, sql(query), String(calls), figure(blocksRead), figure(readMs)],
        ...[bar(figure(walBytes), walBytes / mostBytes), figure(walBytes / calls)],
      ]),
      "left",
    ),
  };
}

/** The group-commit behaviour of the disk, measured just before the run. */
export function diskTable({ disk }: RunResult): string {
  const rows = disk.grouping.map(({ clients, commitsPerSecond, commitsPerFlush }) => [
    `${clients} ${clients === 1 ? "client" : "clients"}`,
    figure(commitsPerSecond),
    commitsPerFlush.toFixed(2),
  ]);
  return table(
    "Group commit, measured before the run",
    ["", "commits per second", "commits per flush"],
    rows,
  );
}

const MAX_SQL_LENGTH = 52;

function sql(query: string): Cell {
  const text = query.replace(/\s+/g, " ").trim();
  if (text.length <= MAX_SQL_LENGTH) return { html: `<code class="sql">${escaped(text)}</code>` };
  return {
    html: `<details class="sql"><summary><code>${escaped(text.slice(0, MAX_SQL_LENGTH))}…</code></summary><code>${escaped(text)}</code></details>`,
  };
}

const bar = (text: string, share: number): Cell => ({
  html: `<span class="bar" style="--share:${(share * 100).toFixed(0)}%">${escaped(text)}</span>`,
});
