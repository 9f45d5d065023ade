import type { ApiRequest } from "../load/wire.ts";
import type { TestBed } from "../testbed/testbed.ts";

/** Counters of the database and the disk since the start of the test bed. */
type Totals = {
  statements: number;
  rows: number;
  blocks: number;
  walBytes: number;
  flushes: number;
};

/** The cost of one request in counts, which do not depend on the speed of the machine. */
export type Counts = {
  /** Statements sent to PostgreSQL, without transaction control. */
  statements: number;
  /** Flushes of the disk that PostgreSQL waited for. */
  flushes: number;
  rows: number;
  /** Pages of 8 kB that statements accessed. */
  blocks: number;
  walBytes: number;
  bodyBytes: number;
};

/** Excludes the statements of the test bed itself. */
async function readTotals({ db, disk }: TestBed): Promise<Totals> {
  const [sums] = await db.sql<Omit<Totals, "flushes">[]>`
    select coalesce(sum(calls), 0)::int as statements, coalesce(sum(rows), 0)::int as rows,
      coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int as blocks, coalesce(sum(wal_bytes), 0)::float8 as "walBytes"
    from pg_stat_statements where query not like all (${BACKGROUND})`;
  return { ...(sums as Omit<Totals, "flushes">), flushes: disk.counts().flushes };
}

/**
 * Patterns of statements that no request sends (the counter's own, heartbeats of ADR 0004, the
 * health check, triggers at commit) and of transaction control.
 */
const BACKGROUND = [
  "%pg_stat_statements%",
  "%insert into live_processes%",
  "select 1",
  "select $1",
  "% = whose %",
  "% = new.%",
  "%tg_argv%",
  "update feed_generation%",
  "begin%",
  "commit%",
  "savepoint%",
  "release%",
  "rollback%",
];

const WARM_UP = 8;

/**
 * Sends requests one after the other and returns the average cost of `count` of them. Eight
 * uncounted requests first open connections and prepare and plan statements. Throws if a request
 * fails.
 */
export async function countRequests(
  testBed: TestBed,
  requestOf: (n: number) => ApiRequest | Promise<ApiRequest>,
  count = 12,
): Promise<Counts> {
  const requests: ApiRequest[] = [];
  for (let n = 0; n < WARM_UP + count; n++) requests.push(await requestOf(n));
  for (const request of requests.slice(0, WARM_UP)) await send(testBed, request);
  await settle(testBed);
  const before = await readTotals(testBed);
  let bodyBytes = 0;
  for (const request of requests.slice(WARM_UP)) bodyBytes += await send(testBed, request);
  await settle(testBed);
  const after = await readTotals(testBed);
  const perRequest = (total: keyof Totals) => Math.round((after[total] - before[total]) / count);
  return {
    statements: perRequest("statements"),
    flushes: perRequest("flushes"),
    rows: perRequest("rows"),
    blocks: perRequest("blocks"),
    walBytes: perRequest("walBytes"),
    bodyBytes: Math.round(bodyBytes / count),
  };
}

/** Waits for work that outlives its request, such as recording a login's last use. */
async function settle({ disk }: TestBed): Promise<void> {
  let flushes = Number.NaN;
  while (flushes !== disk.counts().flushes) {
    flushes = disk.counts().flushes;
    await Bun.sleep(50);
  }
}

async function send(
  { server }: TestBed,
  { method, path, headers = {}, body }: ApiRequest,
): Promise<number> {
  const response = await fetch(`http://localhost${path}`, {
    unix: server.socketPath,
    method,
    headers,
    redirect: "manual",
    ...(body === undefined ? {} : { body }),
  });
  const bytes = await response.arrayBuffer();
  if (!response.ok && response.status !== 304) {
    throw new Error(
      `${method} ${path} returned ${response.status}: ${Buffer.from(bytes).toString().slice(0, 300)}`,
    );
  }
  return bytes.byteLength;
}
