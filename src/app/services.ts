import { connectPool, type Db, openPool, type Pool, type PoolOptions } from "#db/client.ts";
import { noAnswer } from "#db/errors.ts";
import type { WatchdogLimits } from "#db/watchdog.ts";
import { OperatorError } from "#lib/errors.ts";
import { deleteExpiredAttempts } from "../access/attempts.queries.ts";
import { type Keys, parseKeys, readOrGenerateKeys } from "../access/keys.ts";
import { createPasswords } from "../access/passwords.ts";
import { createTokens } from "../access/tokens.ts";
import { createCatalogCache } from "../cache/catalog-cache.ts";
import { type Invalidations, openInvalidations } from "../cache/invalidations.ts";
import { createLoginCache } from "../cache/login-cache.ts";
import type { Config } from "../config/config.ts";
import { watchHealth } from "../health/health.ts";
import { requestContext } from "../http/request-context.ts";
import type { Log, RequestLog } from "../log/log.ts";
import { openMetrics } from "../metrics/metrics.ts";
import { createRequestMetrics } from "../metrics/request-metrics.ts";
import { deleteOldKeys } from "../operations/idempotency.queries.ts";
import { deleteOldWrites } from "../replicas/last-writes.queries.ts";
import { openReplicas, type Replicas } from "../replicas/replicas.ts";
import { deleteExpiredTombstones } from "../sync/changes.service.ts";
import { emptyTrash } from "../workouts/workouts.queries.ts";
import type { AppDeps } from "./app.ts";

export type DatabaseUrls = { pooled: string; direct: string };

export type Services = {
  deps: AppDeps;
  /** What the process counted, as Prometheus's text. */
  metricsText(): string;
  drain(): void;
  close(): Promise<void>;
};

/** What a log line shows of a statement, in characters. */
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
const HOUSEKEEPING_INTERVAL_MS = 600_000;

/** Everything an app needs, opened on a database; `close` ends it all. */
export async function openServices(
  config: Config,
  urls: DatabaseUrls,
  keyFile: string,
  { log, requestLog }: { log: Log; requestLog: RequestLog },
): Promise<Services> {
  const keys = config.JWT_PRIVATE_KEYS
    ? await parseKeys(config.JWT_PRIVATE_KEYS, "JWT_PRIVATE_KEYS")
    : await readOrGenerateKeys(keyFile);
  const poolOptions: PoolOptions = {
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
      onSlow: (statement, durationMs, requestId) =>
        log.warn(
          { statement: statement.slice(0, MAX_LOGGED_STATEMENT_LENGTH), durationMs, requestId },
          "slow statement",
        ),
    },
  };
  const db = openPool(urls.pooled, poolOptions);
  const direct = openPool(urls.direct, { size: 2, prepare: false });
  let replicas: Replicas | undefined;
  const close = async () =>
    void (await Promise.all([db.close(), direct.close(), replicas?.close()]));
  try {
    await answered(connectPool(db, config.DATABASE_POOL_SIZE));
    replicas = await openConfiguredReplicas(config, db, poolOptions, log);
    const loginCache = createLoginCache(() => invalidations.isFresh());
    const catalogCache = createCatalogCache(
      () => invalidations.isFresh(),
      config.CATALOG_MEMORY_MIB * 2 ** 20,
    );
    const listening = openInvalidations(
      direct,
      (invalidation) => {
        loginCache.invalidate(invalidation);
        catalogCache.invalidate(invalidation);
      },
      { log },
    );
    const invalidations: Invalidations = await answered(listening);
    const health = await watchHealth(db, invalidations.isFresh);
    const housekeeping = setInterval(() => {
      deleteExpiredAttempts(db).catch((error) =>
        log.warn({ err: error }, "old attempts were not deleted"),
      );
      deleteOldKeys(db).catch((error) =>
        log.warn({ err: error }, "old idempotency keys were not deleted"),
      );
      deleteOldWrites(db).catch((error) =>
        log.warn({ err: error }, "old notes of writes were not deleted"),
      );
      deleteExpiredTombstones(db).catch((error) =>
        log.warn({ err: error }, "old tombstones were not deleted"),
      );
      emptyTrash(db).catch((error) => log.warn({ err: error }, "the trash was not emptied"));
    }, HOUSEKEEPING_INTERVAL_MS);
    let draining = false;
    const deps = assemble({
      config,
      keys,
      db,
      log,
      requestLog,
      loginCache,
      catalogCache,
      replicas,
      invalidations,
      health,
      addressOf: () => null,
      isDraining: () => draining,
    });
    const metrics = openMetrics({
      requests: deps.requests,
      admission: db.stats,
      replicas: replicas?.stats,
      catalogCache,
      loginCache,
      passwords: deps.passwords.queue,
      isDatabaseOnline: health.isDatabaseOnline,
      isFresh: invalidations.isFresh,
      invalidations: invalidations.stats,
    });
    return {
      deps,
      metricsText: metrics.text,
      drain: () => {
        draining = true;
      },
      close: async () => {
        clearInterval(housekeeping);
        health.stop();
        metrics.close();
        await invalidations.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** `work`, or the error of an unavailable database if it takes longer than ANSWER_TIMEOUT_MS. */
async function answered<T>(work: Promise<T>): Promise<T> {
  const { promise, reject } = Promise.withResolvers<never>();
  const timer = setTimeout(() => reject(noAnswer()), ANSWER_TIMEOUT_MS);
  try {
    return await Promise.race([work, promise]);
  } finally {
    clearTimeout(timer);
  }
}

async function openConfiguredReplicas(config: Config, db: Db, pool: PoolOptions, log: Log) {
  const urls = config.DATABASE_REPLICA_URLS.split(",").map((url) => url.trim());
  if (urls.join("") === "") return undefined;
  const wrong = urls.findIndex((url) => !/^postgres(ql)?:/.test(url) || !URL.canParse(url));
  if (wrong >= 0)
    throw new OperatorError(`DATABASE_REPLICA_URLS: number ${wrong + 1} is no URL of a PostgreSQL`);
  return openReplicas(db, urls, { pool, log });
}

type Parts = Omit<AppDeps, "tokens" | "passwords" | "nowMs" | "requests"> & {
  keys: Keys;
  db: Db | Pool;
};

/** The parts that follow from the others. */
export function assemble(parts: Parts, nowMs: () => number = Date.now): AppDeps {
  return {
    ...parts,
    nowMs,
    tokens: createTokens(parts.config, parts.keys, nowMs),
    passwords: createPasswords(parts.config),
    requests: createRequestMetrics(),
  };
}
