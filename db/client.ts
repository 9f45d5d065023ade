import { drizzle, type PostgresJsDatabase } from "drizzle-orm/postgres-js";
import postgres, { type Options, type PendingQuery, type Row, type Sql } from "postgres";
import { type Admission, type AdmissionOptions, createAdmission } from "./admission.ts";
import type { AdmissionStats } from "./connection-queue.ts";

/**
 * A pool or a transaction; most functions take either. `sql` runs prepared statements and is for
 * the hot paths; `orm` is drizzle on the same connections.
 */
export type Db = {
  sql: Sql;
  orm: PostgresJsDatabase;
  /**
   * Runs `work` in a transaction, or in a savepoint of this one, and rolls back if it throws. A
   * pool with admission control retries `work` after a deadlock, so it must keep its state inside.
   */
  transaction<T>(work: (tx: Db) => Promise<T>): Promise<T>;
};

export type Pool = Db & {
  /** Waits for running statements, at most `timeoutS`, then closes every connection. */
  close(timeoutS?: number): Promise<void>;
  /** Undefined without admission control. */
  stats: AdmissionStats | undefined;
};

export type PoolOptions = {
  size: number;
  prepare: boolean;
  /** Called with the text and the values of every statement sent, once per execution. */
  onStatement?: (statement: string, values: unknown[]) => void;
  /** Admission control; required for a pool that serves requests. */
  admission?: AdmissionOptions;
};

/** Options of the driver that its types lack. */
type UntypedOptions = { max_pipeline: number };
/**
 * Added by our patch of postgres.js (patches/): closes every connection as if the network had
 * failed. Running statements fail, and the next one reconnects.
 */
type PatchedSql = { dropConnections(): void };
const DEFAULT_MAX_PIPELINE = 100;

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
    // Through a pooler without prepared statements, a pipelined statement is sometimes never
    // answered (ADR 0030).
    ...({ max_pipeline: prepare ? DEFAULT_MAX_PIPELINE : 0 } satisfies UntypedOptions),
    // Together with the back-off, this is how long a request may wait for a connection in
    // deploy/pgbouncer/pooling.ini.
    connect_timeout: 2.5,
    idle_timeout: 0,
    max_lifetime: null,
    // The driver's own back-off grows to 20 s, which every request would wait after an outage of a
    // minute.
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
 * Opens all `size` connections of a pool, so that the first requests do not wait for them. The
 * driver's query for array types is sent once, and not again for connections opened later.
 */
export async function connectPool({ sql }: Pool, size: number): Promise<void> {
  await sql`select 1`;
  // All connections share the types; the driver reads this option for each new connection.
  sql.options.fetch_types = false;
  await Promise.all(Array.from({ length: size }, () => sql`select 1`));
}

/**
 * Copies the array types that `source` has fetched to `pool`, which has no connection yet, so that
 * it does not query them. A replica has the types of its primary.
 */
export function shareTypes({ sql: source }: Db, { sql }: Pool): void {
  Object.assign(sql.options.parsers, source.options.parsers);
  Object.assign(sql.options.serializers, source.options.serializers);
  const shared = (options: object) =>
    (options as { shared: { typeArrayMap: object } }).shared.typeArrayMap;
  Object.assign(shared(sql.options), shared(source.options));
  sql.options.fetch_types = false;
}

/**
 * Sends a statement without preparing it. For statements with many variants: each prepared text
 * stays in the memory of every connection, and clients can choose among thousands.
 */
export function unprepared<T extends readonly Row[]>(query: PendingQuery<T>): PendingQuery<T> {
  // postgres.js supports this option per statement; its types declare it for the pool only.
  Object.assign((query as unknown as { options: object }).options, { prepare: false });
  return query;
}

/** Converts libpq's `?host=/directory` of a Unix socket into the path that postgres.js expects. */
function splitSocketPath(databaseUrl: string): { url: string; path?: string } {
  const url = new URL(databaseUrl);
  const directory = url.searchParams.get("host");
  if (!directory?.startsWith("/")) return { url: databaseUrl };
  // As in libpq, a parameter overrides the address.
  const port = url.searchParams.get("port") || url.port || "5432";
  const path = `${directory}/.s.PGSQL.${port}`;
  url.searchParams.delete("host");
  url.searchParams.delete("port");
  return { url: url.href, path };
}

function onPool(pool: Sql, admission: Admission | undefined): Db {
  const sql = admission ? intercepted(pool, admission.statement) : pool;
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

/** A Db on an open transaction. drizzle reads the options of `pool` from its client. */
function onTransaction(
  tx: postgres.TransactionSql,
  pool: Sql,
  admission: Admission | undefined,
): Db {
  const client = Object.assign(tx, { options: pool.options }) as unknown as Sql;
  const sql = admission ? intercepted(client, admission.inTransaction) : client;
  return {
    sql,
    orm: drizzle(sql, { casing: "snake_case" }),
    transaction: <T>(work: (tx: Db) => Promise<T>) =>
      tx.savepoint((savepoint) => work(onTransaction(savepoint, pool, admission))) as Promise<T>,
  };
}

/** `sql` with each of its queries passed to `intercept`. */
function intercepted(sql: Sql, intercept: <Q>(query: Q) => Q): Sql {
  const tag = (...args: Parameters<Sql>) => intercept(sql(...args));
  const unsafe = (...args: Parameters<Sql["unsafe"]>) => intercept(sql.unsafe(...args));
  return Object.assign(tag, sql, { unsafe }) as unknown as Sql;
}
