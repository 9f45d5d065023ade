import { type AnyElysia, Elysia } from "elysia";
import { areParams } from "../http/input.ts";
import { HttpProblem, type Problem } from "../http/problems.ts";
import { toStaticResponse } from "../http/reply.ts";
import { fail, finish, openExchange } from "./exchange.ts";
import { createHandler, type OperationsDeps } from "./handler.ts";
import type { Operation } from "./operation.ts";

/**
 * Elysia options for applications of operations. Elysia normally looks for the path after the
 * eleventh character of a URL, which is too late for a short host name. Routes are compiled when
 * they are first called.
 */
export const ELYSIA_OPTIONS = {
  normalize: false,
  handler: { standardHostname: false },
} as const;

/**
 * An Elysia plugin that serves `list`: one route per operation, whose handler authenticates,
 * validates, answers, and logs (`evaluation.ts`). With `hasStaticResponses`, operations whose
 * answer is constant are static responses that Bun sends without calling the application: they are
 * neither logged nor counted, and have no request id.
 */
export function operations(
  name: string,
  list: Operation[],
  deps: OperationsDeps,
  { hasStaticResponses = false } = {},
) {
  const plugin = new Elysia({ ...ELYSIA_OPTIONS, name });
  for (const operation of list) {
    const { method, path, spec } = operation;
    const handler =
      hasStaticResponses && spec.constant
        ? toStaticResponse(spec.constant)
        : serve.bind(undefined, createHandler(operation, deps));
    plugin.route(method, path, handler);
  }
  return plugin;
}

/**
 * Elysia awaits handlers whose source looks asynchronous to a regular expression, which is true of
 * most that call a function. A bound function has no source, so only the promises are awaited.
 */
const serve = (handle: Handler, { request, params }: { request: Request; params: Params }) =>
  handle(request, params);

type Handler = ReturnType<typeof createHandler>;
type Params = Record<string, string>;

/**
 * An application without operations yet: answers 404 with a problem, and 405 with `Allow` on paths
 * that `methodsOf` knows.
 */
export function createElysia(deps: OperationsDeps) {
  /** Requests that are evaluated as OPTIONS, because their method has no route on their path. */
  const originals = new WeakMap<Request, Request>();
  // Clients invent methods and paths, so neither becomes a label.
  const metrics = deps.requests.of("any", "unmatched");
  const refuse = (request: Request, problem: Problem) =>
    fail(new HttpProblem(problem), openExchange(request, metrics, deps), undefined, deps);
  const app = new Elysia(ELYSIA_OPTIONS).onError(({ request, code, error }) => {
    const original = originals.get(request);
    if (code !== "NOT_FOUND")
      return fail(error, openExchange(request, metrics, deps), undefined, deps);
    if (original) return refuse(original, NOT_FOUND);
    if (request.method === "OPTIONS") return refuse(request, NOT_FOUND);
    const options = new Request(request.url, { method: "OPTIONS" });
    originals.set(options, request);
    return app.fetch(options);
  });
  acceptUrlsWithoutHost(app);

  /** Adds the OPTIONS route of each path: a preflight response, or 405 with `Allow`. */
  const addOptions = (list: Operation[]) => {
    for (const [path, onPath] of Map.groupBy(list, (operation) => operation.path)) {
      const methods = methodsOf(onPath);
      app.route("OPTIONS", path, ({ request, params = {} }) => {
        const original = originals.get(request);
        const preflight = original ? undefined : deps.crossSite.preflight(request, methods);
        if (preflight) {
          const reply = { status: 204, body: null, headers: preflight };
          return finish(reply, openExchange(request, metrics, deps), undefined, deps);
        }
        // In `/exercises/user`, "user" is not the id of an exercise, so it is not that path.
        const fitting = onPath.filter(({ spec }) => !spec.params || areParams(spec.params, params));
        return refuse(original ?? request, unsupported(methodsOf(fitting)));
      });
    }
    return app;
  };
  return { app, addOptions };
}

const NOT_FOUND: Problem = { status: 404, code: "not_found", detail: "There is nothing here" };

function unsupported(methods: string[]): Problem {
  if (methods.length === 0) return NOT_FOUND;
  const allow = methods.join(", ");
  return { status: 405, code: "method_not_allowed", detail: `Use ${allow}`, headers: { allow } };
}

/** The methods of operations on one path, in alphabetical order; HEAD works wherever GET does. */
function methodsOf(onPath: Operation[]): string[] {
  const methods = new Set<string>(onPath.map(({ method }) => method));
  if (methods.has("GET")) methods.add("HEAD");
  return [...methods].sort();
}

/**
 * Bun's URL is a bare path when the Host header is missing or invalid, and Elysia looks for the
 * path after a host. Adds a host to such URLs.
 */
function acceptUrlsWithoutHost(app: AnyElysia): void {
  const compile = app.compile.bind(app);
  app.compile = () => {
    compile();
    const { fetch } = app;
    const fetchWithHost = (request: Request) => {
      const { url } = request;
      if (url.startsWith("/"))
        Object.defineProperty(request, "url", { value: `http://localhost${url}` });
      return fetch(request);
    };
    return Object.defineProperty(app, "fetch", { value: fetchWithHost, configurable: true });
  };
}
