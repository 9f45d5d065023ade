import type { RepeatRequests } from "../cache/repeat-requests.ts";
import { toResponse } from "../http/reply.ts";
import { requestContext } from "../http/request-context.ts";
import { countRequest, type RouteMetrics } from "../metrics/request-metrics.ts";
import type { Actor } from "../permissions/actor.ts";
import { type EvaluationDeps, evaluate } from "./evaluation.ts";
import {
  type ExchangeDeps,
  fail,
  finish,
  hasServerTiming,
  openExchange,
  requestIdOf,
  traceparentOf,
} from "./exchange.ts";
import type { Operation } from "./operation.ts";

export type OperationsDeps = EvaluationDeps & ExchangeDeps & RepeatDeps;

type RepeatDeps = {
  /** The actor of a request's access cookie if it is cached, else undefined. */
  recognise(request: Request): Actor | undefined;
  repeatRequests: RepeatRequests;
};

const NO_PARAMS: Record<string, string> = Object.freeze({});

/**
 * The function that answers requests of `operation`: opens the exchange, evaluates the request in
 * its context, and turns replies and failures into responses that are counted and logged.
 */
export function createHandler(operation: Operation, deps: OperationsDeps) {
  const isUnsafe = operation.method !== "GET";
  const { isDetached, isCached } = operation.spec;
  const metrics = deps.requests.forRoute(operation.method, operation.path);
  const mayRepeat = isCached && deps.isProxied && !deps.crossSite.hasOrigins;
  return (request: Request, params = NO_PARAMS): Response | Promise<Response> => {
    const repeated = mayRepeat ? answerRepeat(request, operation, metrics, deps) : undefined;
    if (repeated) return repeated;
    const exchange = openExchange(request, metrics, deps);
    if (isDetached) exchange.joiners = 1;
    try {
      if (isUnsafe) deps.crossSite.refuse(request);
      const reply = requestContext.run(exchange, evaluate, operation, exchange, params, deps);
      if (!(reply instanceof Promise)) {
        if (mayRepeat && exchange.actor) deps.repeatRequests.set(exchange.actor, request, reply);
        return finish(reply, exchange, operation, deps);
      }
      return reply
        .then((awaited) => finish(awaited, exchange, operation, deps))
        .catch((error) => fail(error, exchange, operation, deps));
    } catch (error) {
      return fail(error, exchange, operation, deps);
    }
  };
}

/**
 * The cached reply to a request that the same user sent before with the same URL and headers, if
 * the proxy has given it a request id; counted and logged like any other. Undefined if an
 * invalidation may concern it, or if its response needs a header of its own.
 */
function answerRepeat(
  request: Request,
  { path }: Operation,
  metrics: RouteMetrics,
  deps: OperationsDeps,
): Response | undefined {
  if (deps.isDraining()) return undefined;
  const startedMs = performance.now();
  const requestId = requestIdOf(request);
  if (requestId === undefined) return undefined;
  const actor = deps.recognise(request);
  if (!actor || hasServerTiming(actor)) return undefined;
  const reply = deps.repeatRequests.get(actor, request);
  if (!reply) return undefined;
  const response = toResponse(reply, undefined);
  const durationMs = performance.now() - startedMs;
  const { status } = reply;
  countRequest(metrics, status, durationMs);
  const trace = traceparentOf(request);
  deps.requestLog(requestId, request.method, path, status, durationMs, actor.userId, trace);
  return response;
}
