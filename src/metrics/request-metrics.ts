import { createHistogram, type Histogram, observe } from "#db/histogram.ts";

/** The counters of one operation. */
export type RouteMetrics = {
  method: string;
  route: string;
  byStatus: Map<number, number>;
  seconds: Histogram;
};

export type RequestMetrics = {
  /** Requests in progress. */
  inFlight: number;
  /** Requests cancelled because their client disconnected. */
  aborted: number;
  routes: RouteMetrics[];
  /** The counters of a route, created by the first call. */
  forRoute(method: string, route: string): RouteMetrics;
};

export function createRequestMetrics(): RequestMetrics {
  const routes: RouteMetrics[] = [];
  return {
    inFlight: 0,
    aborted: 0,
    routes,
    forRoute: (method, route) => {
      const existing = routes.find(
        (metrics) => metrics.method === method && metrics.route === route,
      );
      if (existing) return existing;
      const byStatus = new Map<number, number>();
      const added = { method, route, byStatus, seconds: createHistogram() };
      routes.push(added);
      return added;
    },
  };
}

/** Counts one answered request. */
export function countRequest(
  { byStatus, seconds }: RouteMetrics,
  status: number,
  durationMs: number,
): void {
  byStatus.set(status, (byStatus.get(status) ?? 0) + 1);
  observe(seconds, durationMs / 1000);
}
