import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Options, type PendingQuery, type Row, type Sql } from "postgres";
import {
  type Admission,
  type AdmissionOptions,
  type AdmissionStats,
  createAdmission,
} from "./admission.ts";

/**
 * A pool or a transaction; a function that is given one need not know which. `sql` runs prepared
 * statements (the hot paths), `orm` is drizzle on the same connections (the cold ones).
 */
export type Db = {
  sql: Sql;
  orm: PostgresJsDatabase;
  /**
   * Runs `work` in a transaction (inside one: a savepoint), which is rolled back when it throws.
   * Where requests are answered `work` is run again after a deadlock: it begins anew, with nothing
   * that it kept outside.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
};

export type Pool = Db & {
  /** Waits for running statements, at most `timeoutS`, then closes every connection. */
  close(timeoutS?: number): Promise<void>;
  /** What the gate in front of it has seen; undefined when there is none. */
  stats: AdmissionStats | undefined;
};

export type PoolOptions = {
  size: number;
  prepare: boolean;
  /** Called with the text and the values of every statement sent, once per execution. */
  onStatement?: (statement: string, values: unknown[]) => void;
  /** Limits and counts what is asked of the pool: what answers requests has one. */
  admission?: AdmissionOptions;
};

/** What the driver takes, and its types do not know. */
type UntypedOptions = { max_pipeline: number };
/**
 * What patches/ adds: every connection is closed as if the network had; what is under way fails,
 * and the next connects.
 */
type PatchedSql = { dropConnections(): void };
/** The driver's own default. */
const MAX_SENT_AHEAD = 100;

/**
 * Opens a pool. `url` is `postgres://user:password@host:port/database`, or with `?host=/directory`
 * a Unix socket. Connects on first use. Times come back as text in PostgreSQL's own form, never as
 * Date: microseconds survive.
 */
export function openPool(
  url: string,
  { size, prepare, onStatement, admission: limits }: PoolOptions,
): Pool {
  const options: Options<Record<string, never>> = {
    max: size,
    prepare,
    // One statement at a time through a pooler that cannot prepare: what is sent behind another is
    // sometimes never answered (ADR 0030).
    ...({ max_pipeline: prepare ? MAX_SENT_AHEAD : 0 } satisfies UntypedOptions),
    // With the waits between attempts, what a request may wait for a connection in
    // deploy/pgbouncer/pooling.ini.
    connect_timeout: 2.5,
    idle_timeout: 0,
    max_lifetime: null,
    // The driver's own waits grow to 20 s, and so would everyone's after a database that was away
    // for a minute.
    backoff: (attempt: number) => Math.min(0.05 * 2 ** attempt, 0.5),
    onnotice: () => {},
    connection: { application_name: "irontrack" },
  };
  if (onStatement)
    options.debug = (_connection, statement, values) => onStatement(statement, values);
  const target = splitSocketPath(url);
  const sql = postgres(target.url, target.path ? { ...options, path: target.path } : options);
  const admission =
    limits && createAdmission(size, limits, () => (sql as unknown as PatchedSql).dropConnections());
  return {
    ...onPool(sql, admission),
    stats: admission?.stats,
    close: (timeoutS = 5) => sql.end({ timeout: timeoutS }),
  };
}

/**
 * Opens all of a pool's `size` connections, so that no request waits for one at the start. What the
 * driver asks each new connection about array types is asked once, and not when connections come
 * back after an outage either.
 */
export async function connectPool({ sql }: Pool, size: number): Promise<void> {
  await sql`select 1`;
  // The driver reads it for each connection; what it has learnt, all of them share.
  sql.options.fetch_types = false;
  await Promise.all(Array.from({ length: size }, () => sql`select 1`));
}

/**
 * Copies the array types that `known` has fetched to `pool`, which has no connection yet, so that
 * it does not query them. For replicas, whose types are their primary's.
 */
export function shareTypes({ sql: known }: Db, { sql }: Pool): void {
  Object.assign(sql.options.parsers, known.options.parsers);
  Object.assign(sql.options.serializers, known.options.serializers);
  const shared = (options: object) =>
    (options as { shared: { typeArrayMap: object } }).shared.typeArrayMap;
  Object.assign(shared(sql.options), shared(known.options));
  sql.options.fetch_types = false;
}

/**
 * A statement that is planned each time it runs. For texts of which there are many: each one that
 * is prepared stays in the memory of every connection, and clients can choose among thousands.
 */
export function unprepared<T extends readonly Row[]>(query: PendingQuery<T>): PendingQuery<T> {
  // postgres.js reads this when it sends the statement; its types have it for the whole pool only.
  Object.assign((query as unknown as { options: object }).options, { prepare: false });
  return query;
}

/**
 * URLs name a Unix socket's directory in `?host=`, as libpq's do; postgres.js wants the socket's
 * path.
 */
function splitSocketPath(given: string): { url: string; path?: string } {
  const url = new URL(given);
  const directory = url.searchParams.get("host");
  if (!directory?.startsWith("/")) return { url: given };
  // As in libpq, a parameter overrides the address.
  const port = url.searchParams.get("port") || url.port || "5432";
  const path = `${directory}/.s.PGSQL.${port}`;
  url.searchParams.delete("host");
  url.searchParams.delete("port");
  return { url: url.href, path };
}

function onPool(pool: Sql, admission: Admission | undefined): Db {
  const sql = admission ? passing(pool, admission.statement) : pool;
  const begin = <T>(work: (tx: Db) => Promise<T>, check: () => void) =>
    pool.begin(async (tx) => {
      const result = await work(onTransaction(tx, pool, admission));
      check();
      return result;
    }) as Promise<T>;
  return {
    sql,
    orm: drizzle(sql, { casing: "snake_case" }),
    transaction: (work) =>
      admission ? admission.transaction((check) => begin(work, check)) : begin(work, () => {}),
  };
}

/** Db on an open transaction; `pool` lends the options that drizzle wants to see on its client. */
function onTransaction(
  tx: postgres.TransactionSql,
  pool: Sql,
  admission: Admission | undefined,
): Db {
  const client = Object.assign(tx, { options: pool.options }) as unknown as Sql;
  const sql = admission ? passing(client, admission.inTransaction) : client;
  return {
    sql,
    orm: drizzle(sql, { casing: "snake_case" }),
    transaction: <T>(work: (tx: Db) => Promise<T>) =>
      tx.savepoint((savepoint) => work(onTransaction(savepoint, pool, admission))) as Promise<T>,
  };
}

/** `sql` with each of its statements passed through `pass`. */
function passing(sql: Sql, pass: <Q>(query: Q) => Q): Sql {
  const tag = (...given: Parameters<Sql>) => pass(sql(...given));
  const unsafe = (...given: Parameters<Sql["unsafe"]>) => pass(sql.unsafe(...given));
  return Object.assign(tag, sql, { unsafe }) as unknown as Sql;
}
