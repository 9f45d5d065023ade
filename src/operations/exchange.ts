import { randomBytes } from "node:crypto";
import type { RequestContext } from "#db/connection-queue.ts";
import { refusalOf } from "#db/errors.ts";
import type { CrossSite } from "../http/cross-site.ts";
import { isFaultOfOurs, problemOf, problemReply } from "../http/problems.ts";
import { type Reply, toResponse } from "../http/reply.ts";
import type { RequestLog } from "../log/log.ts";
import {
  countRequest,
  type RequestMetrics,
  type RouteMetrics,
} from "../metrics/request-metrics.ts";
import type { Actor } from "../permissions/actor.ts";
import type { Operation } from "./operation.ts";

export type ExchangeDeps = {
  crossSite: CrossSite;
  requestLog: RequestLog;
  requests: RequestMetrics;
  /** Called for every failure that the client did not cause, with the request id it received. */
  onBug(error: unknown, requestId: string, traceparent: string | undefined): void;
  /** True if all requests come through a proxy, which sends the request id to the client itself. */
  isProxied: boolean;
  /** True while the process stops: responses then ask clients to close their connections. */
  isDraining(): boolean;
};

/** A request in progress. */
export type Exchange = RequestContext & {
  request: Request;
  /** Whether the request arrived with an id. */
  hasGivenId: boolean;
  startedMs: number;
  actor: Actor | undefined;
  /** Released from admission control, and no longer in flight. */
  isFinished: boolean;
  /** The W3C trace context that the request arrived with. */
  traceparent: string | undefined;
  metrics: RouteMetrics;
};

/** A request id is a random name of the process and a counter: unique at a tenth of a UUID's cost. */
const PROCESS_NAME = randomBytes(9).toString("base64url");
let requestCount = 0;
const newRequestId = () => `${PROCESS_NAME}.${(++requestCount).toString(36)}`;
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** W3C Trace Context: version, trace id, parent id, flags. Ids of zeros and version ff are invalid. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

/** The id that the proxy or client gave the request, if it is well formed. */
export function requestIdOf({ headers }: Request): string | undefined {
  const given = headers.get("x-request-id");
  return given !== null && REQUEST_ID.test(given) ? given : undefined;
}

/** The W3C trace context of the request, if it is well formed. */
export function traceparentOf({ headers }: Request): string | undefined {
  const given = headers.get("traceparent");
  return given !== null && TRACEPARENT.test(given) ? given : undefined;
}

/** Starts the exchange of a request, which counts as in flight until `finish`. */
export function openExchange(
  request: Request,
  metrics: RouteMetrics,
  { requests }: ExchangeDeps,
): Exchange {
  const given = requestIdOf(request);
  requests.inFlight++;
  return {
    request,
    requestId: given ?? newRequestId(),
    hasGivenId: given !== undefined,
    startedMs: performance.now(),
    actor: undefined,
    isFinished: false,
    traceparent: traceparentOf(request),
    metrics,
    joiners: 0,
    poolMs: 0,
    databaseMs: 0,
    release: undefined,
  };
}

/**
 * The response to send, counted and logged. Releases the request from admission control first, even
 * if the rest throws.
 */
export function finish(
  reply: Reply,
  exchange: Exchange,
  operation: Operation | undefined,
  deps: ExchangeDeps,
): Response {
  const { request, requestId, startedMs, actor, metrics } = exchange;
  if (!exchange.isFinished) {
    exchange.isFinished = true;
    exchange.release?.();
    deps.requests.inFlight--;
  }
  const response = toResponse(reply, deps.isProxied && exchange.hasGivenId ? undefined : requestId);
  const corsHeaders = deps.crossSite.headersFor(request);
  if (corsHeaders)
    for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
  if (deps.isDraining()) response.headers.set("connection", "close");
  const durationMs = performance.now() - startedMs;
  countRequest(metrics, reply.status, durationMs);
  if (hasServerTiming(actor))
    response.headers.set("server-timing", serverTiming(exchange, durationMs));
  deps.requestLog(
    requestId,
    request.method,
    operation?.path ?? "unmatched",
    reply.status,
    durationMs,
    actor?.userId,
    exchange.traceparent,
  );
  return response;
}

/** The response to a failed request: a problem (RFC 9457). Server errors are reported as bugs. */
export function fail(
  error: unknown,
  exchange: Exchange,
  operation: Operation | undefined,
  deps: ExchangeDeps,
): Response {
  const problem = problemOf(error);
  const refusal = refusalOf(error);
  if (refusal === "CLIENT_GONE") deps.requests.aborted++;
  if ((problem.status >= 500 && !refusal) || isFaultOfOurs(error))
    deps.onBug(error, exchange.requestId, exchange.traceparent);
  return finish(problemReply(problem, exchange.requestId), exchange, operation, deps);
}

/** Whether responses to the actor carry a Server-Timing header. */
export const hasServerTiming = (actor: Actor | undefined) => actor?.roleSlug === "superuser";

/** Concurrent statements are added up, so `db` may exceed `total`. */
const serverTiming = ({ poolMs, databaseMs }: Exchange, totalMs: number) =>
  `pool;dur=${poolMs.toFixed(2)}, db;dur=${databaseMs.toFixed(2)}, total;dur=${totalMs.toFixed(2)}`;
