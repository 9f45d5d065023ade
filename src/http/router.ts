import { randomBytes } from "node:crypto";
import type { BunRequest } from "bun";
import { Elysia } from "elysia";
import type { Db } from "#db/client.ts";
import { refusalOf } from "#db/errors.ts";
import type { Asker } from "#db/gate.ts";
import { type Access, type Actor, requireAccess } from "../actor.ts";
import { asking, inAnyCase } from "../asking.ts";
import type { RequestLog } from "../log.ts";
import { countRequest, type RequestMetrics, type RouteMetrics } from "../metrics/request-metrics.ts";
import type { Replicas } from "../replicas/replicas.ts";
import { type FileMedia, readBody, readFile } from "./body.ts";
import type { CrossSite } from "./cross-site.ts";
import type { Idempotently } from "./idempotency.ts";
import { checkInputs } from "./input.ts";
import type { Asked, Operation } from "./operation.ts";
import { HttpProblem, type Problem, problemOf, problemReply } from "./problems.ts";
import { type Reply, toConstant, toResponse } from "./reply.ts";

export type RouterDeps = {
  db: Db;
  /** Absent when there are none. */
  replicas?: Replicas | undefined;
  /** The actor of a request's access cookie; at once when it is remembered. Throws `unauthenticated`. */
  authenticate(request: Request): Actor | Promise<Actor>;
  crossSite: CrossSite;
  /** For unsafe requests of signed-in users that carry an Idempotency-Key. */
  idempotently: Idempotently;
  requestLog: RequestLog;
  requests: RequestMetrics;
  /** Told of every failure that no client caused, with the request id that the client was given. */
  onBug(error: unknown, requestId: string, traceparent: string | undefined): void;
  /** True while the process stops: clients are told to close their connections. */
  isDraining(): boolean;
};

/** New request ids are this process's random name and a count: as unique as a UUID, at a tenth of its cost. */
const PROCESS_NAME = randomBytes(9).toString("base64url");
let requestCount = 0;
const newRequestId = () => `${PROCESS_NAME}.${(++requestCount).toString(36)}`;
const REQUEST_ID = /^[A-Za-z0-9._-]{8,128}$/;

/** The operations as a server takes them. */
export type Router = {
  /** For `Bun.serve`: each operation on Bun's own router, without the context that Elysia makes for each request. */
  routes: Record<string, Record<string, (request: BunRequest) => Response | Promise<Response>>>;
  /**
   * What may stand before `routes` where a proxy gives each answer its request id and logs it: answers that Bun sends by
   * itself, uncounted. Not while draining: they do not ask to close.
   */
  constants: Record<string, Record<string, Response>>;
  /** Everything, on Elysia's router: what `routes` leaves (HEAD, a trailing slash, 404, 405), and all that tests ask. */
  fetch(request: Request): Response | Promise<Response>;
};

/**
 * Answers `operations`. The one place that knows the order of evaluation (unparsable body, authentication, permission,
 * validation, then the handler), turns failures into problems, and logs (ADR 0002, 0009).
 */
export function createRouter(operations: Operation[], deps: RouterDeps): Router {
  const routes: Router["routes"] = {};
  const constants: Router["constants"] = {};
  const app = new Elysia({ precompile: true, normalize: false });
  for (const operation of operations) {
    const answer = answerer(operation, deps);
    // Asking for parameters that a path does not have costs as much as a small answer.
    const hasParams = operation.path.includes(":");
    const handler = (request: BunRequest) => answer(request, hasParams ? request.params : NO_PARAMS);
    routes[operation.path] = { ...routes[operation.path], [operation.method]: handler };
    const { constant } = operation.spec;
    if (constant && !deps.crossSite.hasOrigins)
      constants[operation.path] = { [operation.method]: toConstant(constant) };
    app.route(operation.method, operation.path, ({ request, params }) => answer(request, params), { parse: "none" });
  }
  const allowedMethods = methodFinder(operations);
  // Clients invent methods and paths: none of theirs becomes a label.
  const unmatchedRequests = deps.requests.of("any", "unmatched");
  app.onError(({ request, code, error }) => {
    const exchange = open(request, unmatchedRequests, deps);
    if (code !== "NOT_FOUND") return fail(error, exchange, undefined, deps);
    const allowed = allowedMethods(new URL(request.url).pathname);
    const preflight = request.method === "OPTIONS" ? deps.crossSite.preflight(request, allowed) : undefined;
    if (preflight) return finish({ status: 204, body: null, headers: preflight }, exchange, undefined, deps);
    return fail(new HttpProblem(unmatched(allowed)), exchange, undefined, deps);
  });
  return { routes, constants, fetch: app.fetch };
}

const NO_PARAMS: Record<string, string> = Object.freeze({});

function unmatched(allowed: string[]): Problem {
  if (allowed.length === 0) return { status: 404, code: "not_found", detail: "There is nothing here" };
  const allow = allowed.join(", ");
  return { status: 405, code: "method_not_allowed", detail: `Use ${allow}`, headers: { allow } };
}

/** One request while it is answered. */
type Exchange = Asker & {
  request: Request;
  startedMs: number;
  actor: Actor | undefined;
  /** The trace that a proxy or client has put this request into, as it came. */
  traceparent: string | undefined;
  account: RouteMetrics;
};

/** W3C Trace Context: version, trace, parent, flags; ids of zeros and version ff are none. */
const TRACEPARENT = /^(?!ff)[0-9a-f]{2}-(?!0{32})[0-9a-f]{32}-(?!0{16})[0-9a-f]{16}-[0-9a-f]{2}$/;

function open(request: Request, account: RouteMetrics, { requests }: RouterDeps): Exchange {
  const { headers } = request;
  const given = headers.get("x-request-id");
  const requestId = given !== null && REQUEST_ID.test(given) ? given : newRequestId();
  const trace = headers.get("traceparent");
  requests.inFlight++;
  return {
    request,
    requestId,
    startedMs: performance.now(),
    actor: undefined,
    traceparent: trace !== null && TRACEPARENT.test(trace) ? trace : undefined,
    account,
    heldBy: 0,
    poolMs: 0,
    databaseMs: 0,
    leave: undefined,
  };
}

function answerer(operation: Operation, deps: RouterDeps) {
  const isUnsafe = operation.method !== "GET";
  const account = deps.requests.of(operation.method, operation.path);
  return (request: Request, params: Record<string, string>): Response | Promise<Response> => {
    const exchange = open(request, account, deps);
    try {
      if (isUnsafe) deps.crossSite.refuse(request);
      const reply = asking.run(exchange, perform, operation, exchange, params, deps);
      if (!(reply instanceof Promise)) return finish(reply, exchange, operation, deps);
      return reply.then(
        (done) => finish(done, exchange, operation, deps),
        (error) => fail(error, exchange, operation, deps),
      );
    } catch (error) {
      return fail(error, exchange, operation, deps);
    }
  };
}

/** Stays synchronous as long as nothing has to be waited for: a remembered actor and a remembered answer cost no turn. */
function perform(operation: Operation, exchange: Exchange, params: Record<string, string>, deps: RouterDeps) {
  const { spec } = operation;
  if (spec.body) {
    return readBody(exchange.request, spec.bodyMedia ?? "json").then(async (body) =>
      handle(operation, exchange, params, body, await identify(spec, exchange.request, deps), deps),
    );
  }
  if (spec.file) return performOnFile(operation, exchange, params, deps);
  const actor = identify(spec, exchange.request, deps);
  if (!(actor instanceof Promise)) return handle(operation, exchange, params, undefined, actor, deps);
  return actor.then((known) => handle(operation, exchange, params, undefined, known, deps));
}

/** A file may be large: it is read for those only who may send one. */
async function performOnFile(
  operation: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  deps: RouterDeps,
): Promise<Reply> {
  const { spec } = operation;
  const actor = await identify(spec, exchange.request, deps);
  if (actor) requireAccess(spec.access, actor);
  const file = await readFile(exchange.request, spec.file as FileMedia);
  return handle(operation, exchange, params, undefined, actor, deps, file);
}

const NO_FILE = new Uint8Array();

const identify = (spec: Operation["spec"], request: Request, deps: RouterDeps) =>
  spec.access === "anyone" || spec.authenticatesItself ? undefined : deps.authenticate(request);

function handle(
  { method, spec, handle: answer }: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  body: unknown,
  actor: Actor | undefined,
  deps: RouterDeps,
  file = NO_FILE,
): Reply | Promise<Reply> {
  const { request, requestId } = exchange;
  if (actor) {
    exchange.actor = actor;
    requireAccess(spec.access, actor);
  }
  const inputs = checkInputs(spec, request, params, body);
  const run = (db: Db) => {
    const asked = {
      request,
      requestId,
      actor,
      params: inputs.params,
      query: inputs.query,
      body: inputs.body,
      db,
      file,
    };
    return answer(asked as unknown as Asked<Access, never, never, never>);
  };
  if (!actor) return run(deps.db);
  if (method === "GET") {
    return spec.readsMayLag && deps.replicas ? deps.replicas.read(actor.userId, async (db) => run(db)) : run(deps.db);
  }
  const key = request.headers.get("idempotency-key");
  const runOnce = () => {
    if (key === null) return run(deps.db);
    const sent = spec.file ? new Bun.CryptoHasher("sha256").update(file).digest("hex") : inputs.body;
    const asked = { userId: actor.userId, key, method, url: request.url, body: sent };
    return deps.idempotently(asked, () => run(deps.db));
  };
  return deps.replicas ? noting(deps.replicas, actor, runOnce) : runOnce();
}

/** Failures are noted too: a 409 may tell of what an earlier try wrote, whose process died before it noted that. */
async function noting(replicas: Replicas, { userId }: Actor, run: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    return await run();
  } finally {
    await inAnyCase(() => replicas.noteWrite(userId));
  }
}

function finish(reply: Reply, exchange: Exchange, operation: Operation | undefined, deps: RouterDeps): Response {
  const { request, requestId, startedMs, actor, account } = exchange;
  const response = toResponse(reply, requestId);
  const corsHeaders = deps.crossSite.headersFor(request);
  if (corsHeaders) for (const [name, value] of Object.entries(corsHeaders)) response.headers.set(name, value);
  if (deps.isDraining()) response.headers.set("connection", "close");
  exchange.leave?.();
  deps.requests.inFlight--;
  const durationMs = performance.now() - startedMs;
  countRequest(account, reply.status, durationMs);
  if (actor?.roleSlug === "superuser") response.headers.set("server-timing", serverTiming(exchange, durationMs));
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

/** Where the time of a request went. Statements that ran side by side count each: `db` may exceed `total`. */
const serverTiming = ({ poolMs, databaseMs }: Exchange, totalMs: number) =>
  `pool;dur=${poolMs.toFixed(2)}, db;dur=${databaseMs.toFixed(2)}, total;dur=${totalMs.toFixed(2)}`;

function fail(error: unknown, exchange: Exchange, operation: Operation | undefined, deps: RouterDeps): Response {
  const problem = problemOf(error);
  const refusal = refusalOf(error);
  if (refusal === "CLIENT_GONE") deps.requests.aborted++;
  if (problem.status >= 500 && !refusal) deps.onBug(error, exchange.requestId, exchange.traceparent);
  return finish(problemReply(problem, exchange.requestId), exchange, operation, deps);
}

/** Finds the methods that a path answers to, for 405; HEAD goes where GET goes. */
function methodFinder(operations: Operation[]): (path: string) => string[] {
  const patterns = operations.map(({ method, path }) => ({
    method,
    pattern: new RegExp(`^${path.replaceAll(/:[A-Za-z]+/g, "[^/]+").replaceAll(".", "\\.")}/?$`),
  }));
  return (path) => {
    const methods = new Set(patterns.filter(({ pattern }) => pattern.test(path)).map(({ method }) => method as string));
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].sort();
  };
}
