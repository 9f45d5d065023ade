import { randomBytes } from "node:crypto";
import type { RequestContext } from "#db/admission.ts";
import { refusalOf } from "#db/errors.ts";
import type { RepeatRequests } from "../cache/repeat-requests.ts";
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
  /** The actor of a request's access cookie if nobody has to be asked for it, else undefined. */
  recognise(request: Request): Actor | undefined;
  repeated: RepeatRequests;
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
  account: RouteMetrics;
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

function givenId({ headers }: Request): string | undefined {
  const given = headers.get("x-request-id");
  return given !== null && REQUEST_ID.test(given) ? given : undefined;
}

function givenTrace({ headers }: Request): string | undefined {
  const given = headers.get("traceparent");
  return given !== null && TRACEPARENT.test(given) ? given : undefined;
}

export function open(
  request: Request,
  account: RouteMetrics,
  { requests }: ExchangeDeps,
): Exchange {
  const given = givenId(request);
  requests.inFlight++;
  return {
    request,
    requestId: given ?? newRequestId(),
    isNamed: given !== undefined,
    startedMs: performance.now(),
    actor: undefined,
    isFinished: false,
    traceparent: givenTrace(request),
    account,
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
  const { request, requestId, startedMs, actor, account } = exchange;
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
  countRequest(account, reply.status, durationMs);
  if (isTimed(actor)) response.headers.set("server-timing", serverTiming(exchange, durationMs));
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

/**
 * What the same person was answered when they asked the same before, for a request that a proxy has
 * named; counted and logged like any other. Undefined when it may not be right any more, or lacks a
 * header that is wanted now.
 */
export function answerRepeatRequest(
  request: Request,
  { path }: Operation,
  account: RouteMetrics,
  deps: ExchangeDeps,
): Response | undefined {
  if (deps.isDraining()) return undefined;
  const startedMs = performance.now();
  const requestId = givenId(request);
  const actor = requestId === undefined ? undefined : deps.recognise(request);
  const reply = actor && !isTimed(actor) ? deps.repeated.get(actor, request) : undefined;
  if (!reply) return undefined;
  const response = toResponse(reply, undefined);
  const durationMs = performance.now() - startedMs;
  countRequest(account, reply.status, durationMs);
  const { method } = request;
  deps.requestLog(
    requestId as string,
    method,
    path,
    reply.status,
    durationMs,
    actor?.userId,
    givenTrace(request),
  );
  return response;
}

/** Who is told where the time of a request went. */
const isTimed = (actor: Actor | undefined) => actor?.roleSlug === "superuser";

/** Statements that ran side by side count each: `db` may exceed `total`. */
const serverTiming = ({ poolMs, databaseMs }: Exchange, totalMs: number) =>
  `pool;dur=${poolMs.toFixed(2)}, db;dur=${databaseMs.toFixed(2)}, total;dur=${totalMs.toFixed(2)}`;
