import type { BunRequest } from "bun";
import { Elysia } from "elysia";
import type { Db } from "#db/client.ts";
import { type FileMedia, readBody, readFile } from "../http/body.ts";
import { areParams, checkInputs } from "../http/input.ts";
import { pathOf } from "../http/paths.ts";
import { HttpProblem, type Problem } from "../http/problems.ts";
import { type Reply, toConstant } from "../http/reply.ts";
import { detached, requestContext } from "../http/request-context.ts";
import { type Access, type Actor, requireAccess } from "../permissions/actor.ts";
import type { Replicas } from "../replicas/replicas.ts";
import {
  answerRepeatRequest,
  type Exchange,
  type ExchangeDeps,
  fail,
  finish,
  open,
} from "./exchange.ts";
import type { Idempotently } from "./idempotency.ts";
import type { HandlerInput, Operation } from "./operation.ts";

export type RouterDeps = ExchangeDeps & {
  db: Db;
  /** Absent when there are none. */
  replicas?: Replicas | undefined;
  /**
   * The actor of a request's access cookie; at once when it is remembered. Throws
   * `unauthenticated`.
   */
  authenticate(request: Request): Actor | Promise<Actor>;
  /** For unsafe requests of signed-in users that carry an Idempotency-Key. */
  idempotently: Idempotently;
};

/** The operations as a server takes them. */
export type Router = {
  /**
   * For `Bun.serve`: each operation on Bun's own router, without the context that Elysia makes for
   * each request.
   */
  routes: Record<string, Record<string, (request: BunRequest) => Response | Promise<Response>>>;
  /**
   * What may stand before `routes` where a proxy gives each answer its request id and logs it:
   * answers that Bun sends by itself, uncounted. Not while draining: they do not ask to close.
   */
  constants: Record<string, Record<string, Response>>;
  /**
   * Everything, on Elysia's router: what `routes` leaves (HEAD, a trailing slash, 404, 405), and
   * all that tests ask.
   */
  fetch(request: Request): Response | Promise<Response>;
};

/**
 * Answers `operations`. The one place that knows the order of evaluation (unparsable body,
 * authentication, permission, validation, then the handler), turns failures into problems, and logs
 * (ADR 0002, 0009).
 */
export function createRouter(operations: Operation[], deps: RouterDeps): Router {
  const routes: Router["routes"] = {};
  const constants: Router["constants"] = {};
  const app = new Elysia({
    precompile: true,
    normalize: false,
    // By default Elysia looks for the path after the eleventh character, which is too late for a
    // short host name.
    handler: { standardHostname: false },
  });
  for (const operation of operations) {
    const answer = answerer(operation, deps);
    // RequestOptions for parameters that a path does not have costs as much as a small answer.
    const hasParams = operation.path.includes(":");
    const handler = (request: BunRequest) =>
      answer(request, hasParams ? request.params : NO_PARAMS);
    routes[operation.path] = { ...routes[operation.path], [operation.method]: handler };
    const { constant } = operation.spec;
    if (constant && !deps.crossSite.hasOrigins)
      constants[operation.path] = { [operation.method]: toConstant(constant) };
    app.route(operation.method, operation.path, ({ request, params }) => answer(request, params), {
      parse: "none",
    });
  }
  const allowedMethods = methodFinder(operations);
  // Clients invent methods and paths: none of theirs becomes a label.
  const unmatchedRequests = deps.requests.of("any", "unmatched");
  app.onError(({ request, code, error }) => {
    const exchange = open(request, unmatchedRequests, deps);
    if (code !== "NOT_FOUND") return fail(error, exchange, undefined, deps);
    const path = pathOf(request.url);
    const preflight =
      request.method === "OPTIONS"
        ? deps.crossSite.preflight(request, allowedMethods(path, false))
        : undefined;
    if (preflight)
      return finish({ status: 204, body: null, headers: preflight }, exchange, undefined, deps);
    return fail(new HttpProblem(unmatched(allowedMethods(path))), exchange, undefined, deps);
  });
  return { routes, constants, fetch: (request) => app.fetch(withHost(request)) };
}

/**
 * Adds a host if the URL has none: for a missing or invalid Host header, Bun's URL is a bare path,
 * which Elysia misreads.
 */
function withHost(request: Request): Request {
  const { url } = request;
  if (url.startsWith("/"))
    Object.defineProperty(request, "url", { value: `http://localhost${url}` });
  return request;
}

const NO_PARAMS: Record<string, string> = Object.freeze({});

function unmatched(allowed: string[]): Problem {
  if (allowed.length === 0)
    return { status: 404, code: "not_found", detail: "There is nothing here" };
  const allow = allowed.join(", ");
  return { status: 405, code: "method_not_allowed", detail: `Use ${allow}`, headers: { allow } };
}

function answerer(operation: Operation, deps: RouterDeps) {
  const isUnsafe = operation.method !== "GET";
  const { isDetached } = operation.spec;
  const account = deps.requests.of(operation.method, operation.path);
  const mayRepeat = operation.spec.isCached && deps.isProxied && !deps.crossSite.hasOrigins;
  return (request: Request, params: Record<string, string>): Response | Promise<Response> => {
    const again = mayRepeat ? answerRepeatRequest(request, operation, account, deps) : undefined;
    if (again) return again;
    const exchange = open(request, account, deps);
    if (isDetached) exchange.joiners = 1;
    try {
      if (isUnsafe) deps.crossSite.refuse(request);
      const reply = requestContext.run(exchange, perform, operation, exchange, params, deps);
      if (!(reply instanceof Promise)) {
        if (mayRepeat && exchange.actor) deps.repeated.set(exchange.actor, request, reply);
        return finish(reply, exchange, operation, deps);
      }
      return reply
        .then((done) => finish(done, exchange, operation, deps))
        .catch((error) => fail(error, exchange, operation, deps));
    } catch (error) {
      return fail(error, exchange, operation, deps);
    }
  };
}

/**
 * Stays synchronous as long as nothing has to be waited for: a remembered actor and a remembered
 * answer cost no turn.
 */
function perform(
  operation: Operation,
  exchange: Exchange,
  params: Record<string, string>,
  deps: RouterDeps,
) {
  const { spec } = operation;
  if (spec.body) {
    return readBody(exchange.request, spec.bodyMedia ?? "json", spec.body).then(async (body) =>
      handle(operation, exchange, params, body, await identify(spec, exchange.request, deps), deps),
    );
  }
  if (spec.file) return performOnFile(operation, exchange, params, deps);
  const actor = identify(spec, exchange.request, deps);
  if (!(actor instanceof Promise))
    return handle(operation, exchange, params, undefined, actor, deps);
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
  spec.access === "anyone" || spec.credentials ? undefined : deps.authenticate(request);

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
  const askedOn = (db: Db) =>
    ({
      request,
      requestId,
      actor,
      params: inputs.params,
      query: inputs.query,
      body: inputs.body,
      db,
      file,
    }) as unknown as HandlerInput<Access, never, never, never>;
  const run = (db: Db) => answer(askedOn(db));
  if (!actor) return run(deps.db);
  if (method === "GET") {
    return spec.readsMayLag && deps.replicas
      ? deps.replicas.read(actor.userId, async (db) => run(db))
      : run(deps.db);
  }
  const key = request.headers.get("idempotency-key");
  const runOnce = () => {
    if (key === null) return run(deps.db);
    const sent = spec.file
      ? new Bun.CryptoHasher("sha256").update(file).digest("hex")
      : inputs.body;
    const asked = { userId: actor.userId, key, method, url: request.url, body: sent };
    const { recheck } = spec;
    return deps.idempotently(
      asked,
      () => run(deps.db),
      recheck && ((kept) => recheck(askedOn(deps.db), kept)),
    );
  };
  return deps.replicas ? noting(deps.replicas, actor, runOnce) : runOnce();
}

/**
 * Failures are noted too: a 409 may tell of what an earlier try wrote, whose process died before it
 * noted that.
 */
async function noting(
  replicas: Replicas,
  { userId }: Actor,
  run: () => Reply | Promise<Reply>,
): Promise<Reply> {
  try {
    return await run();
  } finally {
    await detached(() => replicas.noteWrite(userId));
  }
}

/**
 * Finds the methods that work on a path, for 405; HEAD works where GET does. With `checksParams`,
 * leaves out operations that would refuse the path's parameters: in `/exercises/user`, `user` is
 * not the id of an exercise.
 */
function methodFinder(operations: Operation[]): (path: string, checksParams?: boolean) => string[] {
  const patterns = operations.map(({ method, path, spec }) => ({
    method,
    params: spec.params,
    pattern: new RegExp(
      `^${path.replaceAll(".", "\\.").replaceAll(/:([A-Za-z]+)/g, "(?<$1>[^/]+)")}/?$`,
    ),
  }));
  return (path, checksParams = true) => {
    const methods = new Set<string>();
    for (const { method, params, pattern } of patterns) {
      const match = pattern.exec(path);
      if (match && !(checksParams && params && !areParams(params, match.groups ?? {})))
        methods.add(method);
    }
    if (methods.has("GET")) methods.add("HEAD");
    return [...methods].sort();
  };
}
