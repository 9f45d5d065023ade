import { drizzle } from "drizzle-orm/postgres-js";
import type { Sql } from "postgres";
import { type Db, openPool, type Pool } from "#db/client.ts";
import { TEST_DATABASE_DIRECT_URL, TEST_DATABASE_PREPARE, TEST_DATABASE_URL } from "./cluster.ts";
import { sourcesOnly } from "./program.ts";

let pool: Pool | undefined;
let isOtherProcess = false;
let onStatement: ((statement: string) => void) | undefined;
let onStatementError: ((error: unknown) => void) | undefined;

/** The pool of this test process, for tests that need several connections or real commits. */
export function testPool(): Pool {
  pool ??= openPool(testDatabaseUrl(), {
    size: 4,
    prepare: canPrepare(),
    onStatement: (statement) => onStatement?.(statement),
  });
  return pool;
}

export function testDatabaseUrl(): string {
  const url = process.env[TEST_DATABASE_URL];
  if (!url) throw new Error(`${TEST_DATABASE_URL} is not set: run ./irontrack test`);
  return url;
}

/** False if the tests run through a pooler that does not support prepared statements. */
export const canPrepare = (): boolean => process.env[TEST_DATABASE_PREPARE] !== "false";

/** The same database as `url` without a pooler. */
export function directTestUrl(url = testDatabaseUrl()): string {
  const direct = process.env[TEST_DATABASE_DIRECT_URL];
  if (direct === undefined) return url;
  return Object.assign(new URL(direct), { pathname: new URL(url).pathname }).href;
}

/** Settings for a process of the application that uses the database at `url`. */
export const databaseSettings = (url = testDatabaseUrl()) => ({
  DATABASE_URL: url,
  DATABASE_DIRECT_URL: directTestUrl(url),
  DATABASE_PREPARE: String(canPrepare()),
});

/** Runs `work` in a transaction that is always rolled back. A failed statement does not abort it. */
export async function rolledBack(work: (db: Db) => Promise<void>): Promise<void> {
  const connection = await testPool().sql.reserve();
  try {
    await connection.unsafe("begin");
    await work(onConnection(connection, testPool().sql));
  } finally {
    await connection.unsafe("rollback");
    connection.release();
  }
}

/** A Db on a connection with an open transaction. */
function onConnection(connection: Sql, pool: Sql): Db {
  const sql = withSavepoints(Object.assign(connection, { options: pool.options }));
  const db: Db = {
    sql,
    orm: drizzle(connection, { casing: "snake_case" }),
    transaction: async (work) => {
      await connection.unsafe("savepoint inner_transaction");
      try {
        const result = await work(db);
        await connection.unsafe("release savepoint inner_transaction");
        return result;
      } catch (error) {
        await connection.unsafe("rollback to savepoint inner_transaction");
        throw error;
      }
    },
  };
  return db;
}

/** Sets whether another process answers requests. Its statements cannot be observed here. */
export function setIsOtherProcess(value: boolean): void {
  isOtherProcess = value;
}

/** The texts of the statements that `work` sends, without the savepoints of the harness. */
export async function statementsOf(work: () => Promise<unknown>): Promise<string[]> {
  if (isOtherProcess) throw sourcesOnly("counts the statements of its own process");
  const statements: string[] = [];
  onStatement = (statement) => {
    if (!/^\s*(savepoint|release|rollback|begin)/.test(statement))
      statements.push(statement.trim());
  };
  try {
    await work();
  } finally {
    onStatement = undefined;
  }
  return statements;
}

/** The errors of the statements that `work` sends. */
export async function databaseErrorsOf(work: () => Promise<unknown>): Promise<unknown[]> {
  if (isOtherProcess) throw sourcesOnly("sees the errors of its own process's statements");
  const errors: unknown[] = [];
  onStatementError = (error) => void errors.push(error);
  try {
    await work();
  } finally {
    onStatementError = undefined;
  }
  return errors;
}

type Query = Promise<unknown>;

/**
 * Wraps each statement in a savepoint. The application runs single statements outside of any
 * transaction, where a failed one does not affect the others; here they share a transaction.
 */
function withSavepoints(sql: Sql): Sql {
  let last: Promise<unknown> = Promise.resolve();
  const saved = (run: () => Promise<unknown>) => {
    const result = last.then(async () => {
      await sql.unsafe("savepoint statement");
      try {
        const rows = await run();
        await sql.unsafe("release savepoint statement");
        return rows;
      } catch (error) {
        onStatementError?.(error);
        await sql.unsafe("rollback to savepoint statement");
        throw error;
      }
    });
    last = result.catch(() => {});
    return result;
  };
  return new Proxy(sql, {
    apply(target, self, args: unknown[]) {
      const query = Reflect.apply(target as never, self, args) as Query;
      const isStatement = Array.isArray((args[0] as { raw?: unknown } | undefined)?.raw);
      if (!isStatement) return query;
      const run = query.then.bind(query);
      // biome-ignore lint/suspicious/noThenProperty: a postgres.js query is sent when it is first awaited, so that is wrapped.
      query.then = ((ok, fail) =>
        saved(() => new Promise((resolve, reject) => run(resolve, reject))).then(
          ok,
          fail,
        )) as Query["then"];
      return query;
    },
  });
}
