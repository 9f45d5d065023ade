import type { BunRequest } from "bun";
import { Elysia } from "elysia";
import { toStaticResponse } from "../http/reply.ts";
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
 * Routes for Elysia's option `serve.routes`: the handlers of cached operations for Bun's router, to
 * save the context that Elysia makes for each request (ADR 2).
 */
export function cachedRoutes(list: Operation[], deps: OperationsDeps) {
  const routes: Record<string, { GET: (request: BunRequest) => Response | Promise<Response> }> = {};
  for (const operation of list) {
    if (!operation.spec.isCached || operation.method !== "GET") continue;
    const handle = createHandler(operation, deps);
    routes[operation.path] = { GET: (request) => handle(request, request.params) };
  }
  return routes;
}
