import type { AnyElysia } from "elysia";
import type { Db } from "#db/client.ts";
import { type AccessDeps, accessRoutes } from "../access/access.routes.ts";
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
import { createBaseApp } from "../operations/base-app.ts";
import { docsRoutes } from "../operations/docs.routes.ts";
import type { OperationsDeps } from "../operations/handler.ts";
import { createIdempotency } from "../operations/idempotency.ts";
import { openApiDocument } from "../operations/openapi.ts";
import type { Operation } from "../operations/operation.ts";
import { operations } from "../operations/operations.ts";
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

/** The operations of each domain, by the name of its plugin: the API's table of contents. */
function listDomains(deps: AppDeps): Record<string, Operation[]> {
  const domains: Record<string, Operation[]> = {
    health: healthRoutes(deps),
    docs: docsRoutes(() => document),
    access: accessRoutes(deps, deps.keys),
    users: [...userRoutes(deps), ...roleRoutes(deps)],
    audit: auditRoutes(deps),
    catalogs: catalogRoutes(deps),
    exercises: [...exerciseRoutes(deps), ...exerciseWriteRoutes(deps)],
    routines: routineRoutes(deps),
    plans: planRoutes(deps),
    sharing: [
      ...grantRoutes(deps),
      ...linkRoutes(deps),
      ...clientRoutes(deps),
      ...trainerRoutes(deps),
      ...clientHistoryRoutes(deps),
    ],
    workouts: [...workoutRoutes(deps), ...workoutSetRoutes(deps)],
    progress: progressRoutes(deps),
    sync: syncRoutes(deps),
    imports: importRoutes(deps),
    archive: archiveRoutes(deps),
  };
  const document = JSON.stringify(
    openApiDocument(Object.values(domains).flat(), cookieNames(deps.config)),
  );
  return domains;
}

/** Every operation of the API. */
export const listOperations = (deps: AppDeps): Operation[] =>
  Object.values(listDomains(deps)).flat();

/**
 * The application: one Elysia instance with a plugin per domain, which production listens with and
 * tests call through `fetch`. Opens and starts nothing.
 */
export function createApp(deps: AppDeps): AnyElysia {
  const operationsDeps = operationsDepsOf(deps);
  const domains = listDomains(deps);
  // A response that Bun sends by itself cannot ask to close the connection, has no request id, and
  // is not logged: the proxy does both for a worker that is not draining.
  const hasStaticResponses =
    operationsDeps.isProxied && !operationsDeps.crossSite.hasOrigins && !deps.isDraining();
  const app = createBaseApp(Object.values(domains).flat(), operationsDeps);
  for (const [name, list] of Object.entries(domains))
    app.use(operations(name, list, operationsDeps, { hasStaticResponses }));
  return app;
}

/** The dependencies of the operations plugin. */
export function operationsDepsOf(deps: AppDeps): OperationsDeps {
  const { db, config, tokens, log, replicas, requestLog, requests, isDraining } = deps;
  return {
    db,
    replicas,
    requestLog,
    requests,
    isDraining,
    isProxied: deps.isProxied ?? false,
    authenticate: (request) => authenticate(deps, request),
    recognise: (request) => recognise(deps, request),
    repeatRequests: createRepeatRequests(deps.catalogCache),
    crossSite: createCrossSite(config),
    idempotently: createIdempotency({
      db,
      secrets: tokens.signers.map(({ secret }) => secret),
      onFault: (error) =>
        log.warn(
          { err: error },
          "the outcome of a request was not stored under its Idempotency-Key",
        ),
    }),
    onBug: (error, requestId, traceparent) =>
      log.error({ err: error, requestId, traceparent }, "request failed"),
  };
}
