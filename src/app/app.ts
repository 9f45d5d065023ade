import type { Db } from "#db/client.ts";
import { accessRoutes } from "../access/access.routes.ts";
import type { AccessDeps } from "../access/access.service.ts";
import { authenticate, recognise } from "../access/authentication.ts";
import { cookieNames } from "../access/cookies.ts";
import type { Keys } from "../access/keys.ts";
import { archiveRoutes } from "../archive/archive.routes.ts";
import { auditRoutes } from "../audit/audit.routes.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import { createRepeatRequests } from "../cache/repeat-requests.ts";
import { catalogRoutes } from "../catalogs/catalogs.routes.ts";
import type { Config } from "../config/config.ts";
import { exerciseWriteRoutes } from "../exercises/exercise-writes.routes.ts";
import { exerciseRoutes } from "../exercises/exercises.routes.ts";
import { healthRoutes } from "../health/health.routes.ts";
import type { Health } from "../health/health.ts";
import { createCrossSite } from "../http/cross-site.ts";
import { importRoutes } from "../imports/imports.routes.ts";
import type { Log, RequestLog } from "../log/log.ts";
import type { RequestMetrics } from "../metrics/request-metrics.ts";
import { docsRoutes } from "../operations/docs.routes.ts";
import { createIdempotency } from "../operations/idempotency.ts";
import { openApiDocument } from "../operations/openapi.ts";
import type { Operation } from "../operations/operation.ts";
import { createRouter, type Router } from "../operations/router.ts";
import { planRoutes } from "../plans/plans.routes.ts";
import { progressRoutes } from "../progress/progress.routes.ts";
import type { Replicas } from "../replicas/replicas.ts";
import { routineRoutes } from "../routines/routines.routes.ts";
import { clientHistoryRoutes } from "../sharing/client-history.routes.ts";
import { clientRoutes, trainerRoutes } from "../sharing/clients.routes.ts";
import { grantRoutes } from "../sharing/grants.routes.ts";
import { linkRoutes } from "../sharing/links.routes.ts";
import { syncRoutes } from "../sync/sync.routes.ts";
import { roleRoutes, userRoutes } from "../users/users.routes.ts";
import { workoutSetRoutes } from "../workouts/workout-sets.routes.ts";
import { workoutRoutes } from "../workouts/workouts.routes.ts";

export type AppDeps = AccessDeps & {
  db: Db;
  config: Config;
  keys: Keys;
  log: Log;
  requestLog: RequestLog;
  requests: RequestMetrics;
  health: Health;
  catalogCache: CatalogCache;
  replicas?: Replicas | undefined;
  /** Only a proxy asks: see `ExchangeDeps`. */
  isProxied?: boolean;
  isDraining: () => boolean;
};

/** The API's table of contents. */
export function listOperations(deps: AppDeps): Operation[] {
  const operations: Operation[] = [
    ...healthRoutes(deps),
    ...docsRoutes(() => document),
    ...accessRoutes(deps, deps.keys),
    ...userRoutes(deps),
    ...roleRoutes(deps),
    ...auditRoutes(deps),
    ...catalogRoutes(deps),
    ...exerciseRoutes(deps),
    ...exerciseWriteRoutes(deps),
    ...routineRoutes(deps),
    ...planRoutes(deps),
    ...grantRoutes(deps),
    ...linkRoutes(deps),
    ...clientRoutes(deps),
    ...trainerRoutes(deps),
    ...clientHistoryRoutes(deps),
    ...workoutRoutes(deps),
    ...workoutSetRoutes(deps),
    ...progressRoutes(deps),
    ...syncRoutes(deps),
    ...importRoutes(deps),
    ...archiveRoutes(deps),
  ];
  const document = JSON.stringify(openApiDocument(operations, cookieNames(deps.config)));
  return operations;
}

/** The whole application: give it a request, it gives a response. Opens and starts nothing. */
export function createApp(deps: AppDeps): Router {
  return createRouter(listOperations(deps), {
    db: deps.db,
    replicas: deps.replicas,
    authenticate: (request) => authenticate(deps, request),
    recognise: (request) => recognise(deps, request),
    repeated: createRepeatRequests(deps.catalogCache),
    isProxied: deps.isProxied ?? false,
    crossSite: createCrossSite(deps.config),
    idempotently: createIdempotency({
      db: deps.db,
      secrets: deps.tokens.signers.map(({ secret }) => secret),
      onFault: (error) =>
        deps.log.warn(
          { err: error },
          "the outcome of a request was not stored under its Idempotency-Key",
        ),
    }),
    requestLog: deps.requestLog,
    requests: deps.requests,
    onBug: (error, requestId, traceparent) =>
      deps.log.error({ err: error, requestId, traceparent }, "request failed"),
    isDraining: deps.isDraining,
  });
}
