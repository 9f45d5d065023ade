import { type Fingerprint, hostName } from "../hosts/fingerprint.ts";
import type { AbResult } from "./ab.ts";

export type Point = { commit: string; at: string; value: number };
export type Measured = { host: string; suite: string; metric: string } & Point;

/**
 * The fields read from a run.json of any format so far: scenarios under load, a table of figures or
 * a sweep.
 */
export type StoredRun = {
  host: Pick<Fingerprint, "cpu" | "cores" | "commit" | "at">;
  doubts?: string[];
  results?: {
    operation: string;
    figures: { responseMs: { percentiles: Record<string, number> } };
    attribution: { serverCpu: number; postgresCpu: number };
    /** Since format 3; before it, the attribution holds the total CPU. */
    costs?: { serverTotalCpu: number; postgresTotalCpu: number };
    doubts: string[];
  }[];
  rows?: { scenario: string; figures: Record<string, { mean: number }> }[];
  operation?: string;
  greatestRate?: number | null;
};

/**
 * The points of a run, without results that have validity warnings. The name of its directory ends
 * with the suite, after the date and the commit.
 */
export function pointsOfRun(
  directory: string,
  { host, doubts = [], results = [], ...run }: StoredRun,
): Measured[] {
  if (doubts.length > 0) return [];
  const suite = directory.split("-").slice(4).join(" ");
  const series = { host: hostName(host), suite, commit: host.commit, at: host.at };
  const loadPoints = results
    .filter((result) => result.doubts.length === 0)
    .flatMap(({ operation, figures, attribution, costs }) => {
      const {
        serverTotalCpu: server = attribution.serverCpu,
        postgresTotalCpu: postgres = attribution.postgresCpu,
      } = costs ?? {};
      const percentile = (share: number) => figures.responseMs.percentiles[share] ?? 0;
      return [
        { ...series, metric: `${operation} CPU µs`, value: (server + postgres) * 1000 },
        { ...series, metric: `${operation} p50 ms`, value: percentile(0.5) },
        { ...series, metric: `${operation} p99 ms`, value: percentile(0.99) },
      ];
    });
  const tablePoints = (run.rows ?? []).flatMap(({ scenario, figures }) =>
    Object.entries(figures).map(([name, { mean }]) => ({
      ...series,
      metric: `${scenario} ${name}`,
      value: mean,
    })),
  );
  const sweepPoints = [
    { ...series, metric: `${run.operation} max rate`, value: run.greatestRate ?? 0 },
  ];
  return [...loadPoints, ...tablePoints, ...sweepPoints];
}

/** The points of the later version only; the earlier one was measured before. */
export function pointsOfAb({ host, options, findings }: AbResult): Measured[] {
  const series = {
    host: hostName(host),
    suite: `ab ${options.mode}`,
    commit: host.commit,
    at: host.at,
  };
  return findings
    .filter(({ operation, metric }) => operation !== "all" && metric === "cpuUs")
    .map(({ operation, after }) => ({ ...series, metric: `${operation} CPU µs`, value: after }));
}
