import { type AnyElysia, Elysia } from "elysia";
import { areParams } from "../http/input.ts";
import { HttpProblem, type Problem } from "../http/problems.ts";
import { fail, finish, openExchange } from "./exchange.ts";
import type { OperationsDeps } from "./handler.ts";
import type { Operation } from "./operation.ts";
import { cachedRoutes, ELYSIA_OPTIONS } from "./operations.ts";

/**
 * An Elysia application for the plugins of `list` (`operations`). It answers everything else: 404,
 * preflight requests, and 405 with `Allow`.
 */
export function createBaseApp(list: Operation[], deps: OperationsDeps) {
  /** Requests that are evaluated as OPTIONS, because their method has no route on their path. */
  const originals = new WeakMap<Request, Request>();
  // Clients invent methods and paths, so neither becomes a label.
  const metrics = deps.requests.forRoute("any", "unmatched");
  const refuse = (request: Request, problem: Problem) =>
    fail(new HttpProblem(problem), openExchange(request, metrics, deps), undefined, deps);
  const serve = { routes: cachedRoutes(list, deps) };
  const app = new Elysia({ ...ELYSIA_OPTIONS, serve }).onError(({ request, code, error }) => {
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
