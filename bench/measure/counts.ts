import type { ApiRequest } from "../load/wire.ts";
import type { TestBed } from "../testbed/testbed.ts";

/** What the database and the disk did, since the beginning. */
type Totals = {
  statements: number;
  rows: number;
  blocks: number;
  walBytes: number;
  flushes: number;
};

/** What one request costs, whoever's machine it is on: for gates that no noise disturbs. */
export type Counts = {
  /** Statements sent to PostgreSQL, without the beginning and the end of a transaction. */
  statements: number;
  /** Waits for the disk. */
  flushes: number;
  rows: number;
  /** Pages of 8 kB that statements looked at. */
  blocks: number;
  walBytes: number;
  bodyBytes: number;
};

/** Counts nothing that the test bed itself asks. */
async function totals({ db, disk }: TestBed): Promise<Totals> {
  const [sums] = await db.sql<Omit<Totals, "flushes">[]>`
    select coalesce(sum(calls), 0)::int as statements, coalesce(sum(rows), 0)::int as rows,
      coalesce(sum(shared_blks_hit + shared_blks_read), 0)::int as blocks, coalesce(sum(wal_bytes), 0)::float8 as "walBytes"
    from pg_stat_statements where query not like all (${BACKGROUND})`;
  return { ...(sums as Omit<Totals, "flushes">), flushes: disk.counts().flushes };
}

/**
 * What no request sends: the counter's own statements, heartbeats (ADR 0004), the health check, and
 * what a trigger does when a transaction commits. Nor do the ends of a transaction count.
 */
const BACKGROUND = [
  "%pg_stat_statements%",
  "with seen as%",
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
 * Sends `count` requests one after the other and returns what each of them cost on average; the
 * first eight of them are not counted, because connections are opened and statements prepared and
 * planned by them. Throws for an answer that is no success.
 */
export async function countRequests(
  testBed: TestBed,
  asked: (n: number) => ApiRequest | Promise<ApiRequest>,
  count = 12,
): Promise<Counts> {
  const requests: ApiRequest[] = [];
  for (let n = 0; n < WARM_UP + count; n++) requests.push(await asked(n));
  for (const request of requests.slice(0, WARM_UP)) await send(testBed, request);
  await settled();
  const before = await totals(testBed);
  let bodyBytes = 0;
  for (const request of requests.slice(WARM_UP)) bodyBytes += await send(testBed, request);
  await settled();
  const after = await totals(testBed);
  const each = (of: keyof Totals) => Math.round((after[of] - before[of]) / count);
  return {
    statements: each("statements"),
    flushes: each("flushes"),
    rows: each("rows"),
    blocks: each("blocks"),
    walBytes: each("walBytes"),
    bodyBytes: Math.round(bodyBytes / count),
  };
}

/** What a request starts and does not wait for, such as a login's last use, is over by then. */
const settled = () => Bun.sleep(50);

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
      `${method} ${path} was answered with ${response.status}: ${Buffer.from(bytes).toString().slice(0, 300)}`,
    );
  }
  return bytes.byteLength;
}
