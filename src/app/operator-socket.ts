import { Elysia } from "elysia";
import { healthRoutes } from "../health/health.routes.ts";
import { ELYSIA_OPTIONS, operations } from "../operations/operations.ts";
import { type AppDeps, operationsDepsOf } from "./app.ts";

/** The path of the operators' socket of the process that serves on `socketPath`. */
export const operatorSocketPath = (socketPath: string): string =>
  socketPath.replace(/(\.sock)?$/, ".operator.sock");

const METRICS_HEADERS = {
  "content-type": "text/plain; version=0.0.4; charset=utf-8",
  "cache-control": "no-store",
};

/** What operators and monitoring may ask: the metrics, and health without the proxy in between. */
export const createOperatorApp = (deps: AppDeps, metricsText: () => string) =>
  new Elysia(ELYSIA_OPTIONS)
    .onError(() => new Response("There is nothing here\n", { status: 404 }))
    .get("/metrics", () => {
      const response = new Response(metricsText(), { headers: METRICS_HEADERS });
      return response;
    })
    .use(operations("health", healthRoutes(deps), operationsDepsOf(deps)));
