import type { Db, Pool } from "#db/client.ts";
import { type Keys, parseKeys, readOrGenerateKeys } from "../access/keys.ts";
import { createPasswords } from "../access/passwords.ts";
import { createTokens } from "../access/tokens.ts";
import { createCatalogCache } from "../cache/catalog-cache.ts";
import { type Invalidations, openInvalidations } from "../cache/invalidations.ts";
import { createLoginCache } from "../cache/login-cache.ts";
import type { Config } from "../config/config.ts";
import { watchHealth } from "../health/health.ts";
import type { Log, RequestLog } from "../log/log.ts";
import { openMetrics } from "../metrics/metrics.ts";
import { createRequestMetrics } from "../metrics/request-metrics.ts";
import type { AppDeps } from "./app.ts";
import { startHousekeeping } from "./housekeeping.ts";
import { type DatabaseUrls, openPools, orNoAnswer } from "./pools.ts";

export type Services = {
  deps: AppDeps;
  /** The metrics of the process in Prometheus's text format. */
  metricsText(): string;
  /** Marks the process as draining: responses ask clients to close their connections. */
  drain(): void;
  close(): Promise<void>;
};

/**
 * Opens everything that an application needs on a database: keys, pools, caches, health checks,
 * metrics and housekeeping. Throws if the database does not answer; nothing stays open then.
 */
export async function openServices(
  config: Config,
  urls: DatabaseUrls,
  keyFile: string,
  logs: { log: Log; requestLog: RequestLog },
): Promise<Services> {
  const { log } = logs;
  const keys = config.JWT_PRIVATE_KEYS
    ? await parseKeys(config.JWT_PRIVATE_KEYS, "JWT_PRIVATE_KEYS")
    : await readOrGenerateKeys(keyFile);
  const { db, direct, replicas, close } = await openPools(config, urls, log);
  try {
    const caches = await openCaches(config, direct, log);
    const health = await watchHealth(db, caches.invalidations.isFresh);
    const stopHousekeeping = startHousekeeping(db, log);
    let isDraining = false;
    const deps = assemble({
      config,
      keys,
      db,
      replicas,
      health,
      ...logs,
      ...caches,
      addressOf: () => null,
      isDraining: () => isDraining,
    });
    const metrics = openMetrics({
      requests: deps.requests,
      admission: db.stats,
      replicas: replicas?.stats,
      catalogCache: caches.catalogCache,
      loginCache: caches.loginCache,
      passwords: deps.passwords.queue,
      isDatabaseOnline: health.isDatabaseOnline,
      isFresh: caches.invalidations.isFresh,
      invalidations: caches.invalidations.stats,
    });
    return {
      deps,
      metricsText: metrics.text,
      drain: () => {
        isDraining = true;
      },
      close: async () => {
        stopHousekeeping();
        health.stop();
        metrics.close();
        await caches.invalidations.close();
        await close();
      },
    };
  } catch (error) {
    await close();
    throw error;
  }
}

/** The caches of a process, and the invalidations that keep them fresh. */
async function openCaches(config: Config, direct: Db, log: Log) {
  const isFresh = () => invalidations.isFresh();
  const loginCache = createLoginCache(isFresh);
  const catalogCache = createCatalogCache(isFresh, config.CATALOG_MEMORY_MIB * 2 ** 20);
  const opening = openInvalidations(
    direct,
    (invalidation) => {
      loginCache.invalidate(invalidation);
      catalogCache.invalidate(invalidation);
    },
    { log },
  );
  const invalidations: Invalidations = await orNoAnswer(opening);
  return { loginCache, catalogCache, invalidations };
}

type Parts = Omit<AppDeps, "tokens" | "passwords" | "nowMs" | "requests"> & {
  keys: Keys;
  db: Db | Pool;
};

/** Completes the dependencies of an application with those that derive from others. */
export function assemble(parts: Parts, nowMs: () => number = Date.now): AppDeps {
  return {
    ...parts,
    nowMs,
    tokens: createTokens(parts.config, parts.keys, nowMs),
    passwords: createPasswords(parts.config),
    requests: createRequestMetrics(),
  };
}
