import { type Fingerprint, hostName } from "../hosts/fingerprint.ts";
import type { AbResult } from "./ab.ts";

export type Point = { commit: string; at: string; value: number };
export type Measured = { host: string; suite: string; metric: string } & Point;

/**
 * What is read of a run.json, of any format that there has been: scenarios under load, a table of
 * figures, or a sweep.
 */
type StoredRun = {
  host: Pick<Fingerprint, "cpu" | "cores" | "commit" | "at">;
  doubts?: string[];
  results?: {
    operation: string;
    figures: { responseMs: { percentiles: Record<string, number> } };
    attribution: { serverCpu: number; postgresCpu: number };
    /** Since format 3 the attribution is only of what a request waits for. */
    costs?: { serverTotalCpu: number; postgresTotalCpu: number };
    doubts: string[];
  }[];
  rows?: { scenario: string; figures: Record<string, { mean: number }> }[];
  operation?: string;
  greatestRate?: number | null;
};

/**
 * The figures of a run that is not in doubt. The suite is in the name of its directory, after the
 * date and the commit.
 */
export function pointsOfRun(
  directory: string,
  { host, doubts = [], results = [], ...run }: StoredRun,
): Measured[] {
  if (doubts.length > 0) return [];
  const suite = directory.split("-").slice(4).join(" ");
  const where = { host: hostName(host), suite, commit: host.commit, at: host.at };
  const points = results
    .filter((result) => result.doubts.length === 0)
    .flatMap(({ operation, figures, attribution, costs }) => {
      const {
        serverTotalCpu: server = attribution.serverCpu,
        postgresTotalCpu: postgres = attribution.postgresCpu,
      } = costs ?? {};
      const percentile = (share: number) => figures.responseMs.percentiles[share] ?? 0;
      return [
        { ...where, metric: `${operation} CPU µs`, value: (server + postgres) * 1000 },
        { ...where, metric: `${operation} p50 ms`, value: percentile(0.5) },
        { ...where, metric: `${operation} p99 ms`, value: percentile(0.99) },
      ];
    });
  const ofTable = (run.rows ?? []).flatMap(({ scenario, figures }) =>
    Object.entries(figures).map(([name, { mean }]) => ({
      ...where,
      metric: `${scenario} ${name}`,
      value: mean,
    })),
  );
  const ofSweep = [
    { ...where, metric: `${run.operation} greatest rate`, value: run.greatestRate ?? 0 },
  ];
  return [...points, ...ofTable, ...ofSweep];
}

/** The later side only: the earlier one is a point of another day. */
export function pointsOfAb({ host, options, findings }: AbResult): Measured[] {
  const where = {
    host: hostName(host),
    suite: `ab ${options.mode}`,
    commit: host.commit,
    at: host.at,
  };
  return findings
    .filter(({ operation, metric }) => operation !== "all" && metric === "cpuUs")
    .map(({ operation, after }) => ({ ...where, metric: `${operation} CPU µs`, value: after }));
}
