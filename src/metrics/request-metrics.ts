import { createHistogram, type Histogram, observe } from "#db/histogram.ts";

/** What one operation's requests came to. */
export type RouteMetrics = {
  method: string;
  route: string;
  byStatus: Map<number, number>;
  seconds: Histogram;
};

export type RequestMetrics = {
  /** Requests begun and not yet answered. */
  inFlight: number;
  /** Requests whose client went away before their work was done. */
  aborted: number;
  routes: RouteMetrics[];
  /** The account of a route, made when first asked for; a router asks once, and keeps it. */
  of(method: string, route: string): RouteMetrics;
};

export function createRequestMetrics(): RequestMetrics {
  const routes: RouteMetrics[] = [];
  return {
    inFlight: 0,
    aborted: 0,
    routes,
    of: (method, route) => {
      const known = routes.find((one) => one.method === method && one.route === route);
      if (known) return known;
      const made = {
        method,
        route,
        byStatus: new Map<number, number>(),
        seconds: createHistogram(),
      };
      routes.push(made);
      return made;
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
