import { randomBytes } from "node:crypto";
import type { RequestContext } from "#db/admission.ts";
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
  /** Told of every failure that no client caused, with the request id that the client was given. */
  onBug(error: unknown, requestId: string, traceparent: string | undefined): void;
  /**
   * True where only a proxy asks: it has told the client, or will, which request id it gave (ADR
   * 0023, 0028).
   */
  isProxied: boolean;
  /** True while the process stops: clients are told to close their connections. */
  isDraining(): boolean;
};

/** One request while it is answered. */
export type Exchange = RequestContext & {
  request: Request;
  /** Whoever asks has named the request. */
  isNamed: boolean;
  startedMs: number;
  actor: Actor | undefined;
  /** It has left admission control, and no longer counts as in flight. */
  isFinished: boolean;
  /** The trace that a proxy or client has put this request into, as it came. */
  traceparent: string | undefined;
  metrics: RouteMetrics;
};

/**
 * New request ids are this process's random name and a count: as unique as a UUID, at a tenth of
 * its cost.
 */
const PROCESS_NAME = randomBytes(9).toString("base64url");
let requestCount = 0;
const newRequestId = () => `${PROCESS_NAME}.${(++requestCount).toString(36)}`;
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** W3C Trace Context: version, trace, parent, flags; ids of zeros and version ff are none. */
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
    isNamed: given !== undefined,
    startedMs: performance.now(),
    actor: undefined,
    isFinished: false,
    traceparent: traceparentOf(request),
    metrics,
    joiners: 0,
    poolMs: 0,
    databaseMs: 0,
    leave: undefined,
  };
}

/**
 * The final response, counted and logged. First releases the request from admission control, even
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
    exchange.leave?.();
    deps.requests.inFlight--;
  }
  const response = toResponse(reply, deps.isProxied && exchange.isNamed ? undefined : requestId);
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

/** Who is told where the time of a request went. */
export const hasServerTiming = (actor: Actor | undefined) => actor?.roleSlug === "superuser";

/** Statements that ran side by side count each: `db` may exceed `total`. */
const serverTiming = ({ poolMs, databaseMs }: Exchange, totalMs: number) =>
  `pool;dur=${poolMs.toFixed(2)}, db;dur=${databaseMs.toFixed(2)}, total;dur=${totalMs.toFixed(2)}`;
