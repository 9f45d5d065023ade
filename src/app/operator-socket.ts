import type { Server } from "bun";
import type { Router } from "../operations/router.ts";

/** Where the process that serves on `socketPath` answers operators. */
export const operatorSocketPath = (socketPath: string): string =>
  socketPath.replace(/(\.sock)?$/, ".operator.sock");

/**
 * Serves what is for operators and monitoring only: the metrics, and health without the proxy in
 * between.
 */
export function serveOperators(
  path: string,
  app: Router,
  metricsText: () => string,
): Server<undefined> {
  return Bun.serve({
    unix: path,
    development: false,
    fetch: (request) => {
      const { pathname } = new URL(request.url);
      if (pathname === "/metrics" && request.method === "GET")
        return new Response(metricsText(), { headers: TEXT });
      if (pathname === "/health" || pathname.startsWith("/health/")) return app.fetch(request);
      return new Response("There is nothing here\n", { status: 404 });
    },
  });
}

const TEXT = {
  "content-type": "text/plain; version=0.0.4; charset=utf-8",
  "cache-control": "no-store",
};
