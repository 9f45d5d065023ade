import { connectPool, type Db, openPool, type PoolOptions } from "#db/client.ts";
import { noAnswer } from "#db/errors.ts";
import type { WatchdogLimits } from "#db/watchdog.ts";
import { OperatorError } from "#lib/errors.ts";
import type { Config } from "../config/config.ts";
import { requestContext } from "../http/request-context.ts";
import type { Log } from "../log/log.ts";
import { openReplicas } from "../replicas/replicas.ts";

export type DatabaseUrls = { pooled: string; direct: string };

/** The maximum length of a statement in the log, in characters. */
const MAX_LOGGED_STATEMENT_LENGTH = 4000;
/** Each deadlock takes a second (`deadlock_timeout`) of the ten that a client waits. */
const MAX_RETRIES = 2;
/** Longer than a pooler lets a client wait, and than it takes to retry a connection. */
const ANSWER_TIMEOUT_MS = 15_000;
/**
 * The pool's timeout is as long as PgBouncer lets a statement wait (deploy/pgbouncer/pooling.ini).
 * The application's role limits a statement to 5 s (`irontrack database:role`), and after 10 s its
 * answer is of no use to a client.
 */
const WATCHDOG: WatchdogLimits = { poolTimeoutMs: 3000, statementTimeoutMs: 10_000 };

/**
 * Opens the pools of a process: `db` for statements, `direct` for LISTEN past a pooler, and those
 * of the replicas. Throws if the database does not answer; everything is closed then.
 */
export async function openPools(config: Config, urls: DatabaseUrls, log: Log) {
  const options = poolOptions(config, log);
  const db = openPool(urls.pooled, options);
  const direct = openPool(urls.direct, { size: 2, prepare: false });
  const pools = [db, direct];
  const close = async () => void (await Promise.all(pools.map((pool) => pool.close())));
  try {
    await orNoAnswer(connectPool(db, config.DATABASE_POOL_SIZE));
    const replicas = await openConfiguredReplicas(config, db, options, log);
    const closeAll = async () => void (await Promise.all([close(), replicas?.close()]));
    return { db, direct, replicas, close: closeAll };
  } catch (error) {
    await close();
    throw error;
  }
}

const poolOptions = (config: Config, log: Log): PoolOptions => ({
  size: config.DATABASE_POOL_SIZE,
  prepare: config.DATABASE_PREPARE,
  admission: {
    context: () => requestContext.getStore(),
    maxRequests: config.MAX_IN_FLIGHT,
    maxQueued: config.DATABASE_WAITING ?? 8 * config.DATABASE_POOL_SIZE,
    maxWaitMs: config.DATABASE_WAIT_MS,
    watchdog: WATCHDOG,
    maxRetries: MAX_RETRIES,
    slowMs: config.SLOW_STATEMENT_MS,
    onSlow: (text, durationMs, requestId) => {
      const statement = text.slice(0, MAX_LOGGED_STATEMENT_LENGTH);
      log.warn({ statement, durationMs, requestId }, "slow statement");
    },
  },
});

async function openConfiguredReplicas(config: Config, db: Db, pool: PoolOptions, log: Log) {
  const urls = config.DATABASE_REPLICA_URLS.split(",").map((url) => url.trim());
  if (urls.join("") === "") return undefined;
  const wrong = urls.findIndex((url) => !/^postgres(ql)?:/.test(url) || !URL.canParse(url));
  if (wrong >= 0)
    throw new OperatorError(`DATABASE_REPLICA_URLS: number ${wrong + 1} is no URL of a PostgreSQL`);
  return openReplicas(db, urls, { pool, log });
}

/** The result of `work`. Throws the error of an unavailable database after ANSWER_TIMEOUT_MS. */
export async function orNoAnswer<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(noAnswer()), ANSWER_TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}
