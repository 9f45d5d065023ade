import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../figures/statistics.ts";
import { type ChangePoint, findChangePoints } from "./change-points.ts";
import {
  type Measured,
  type Point,
  pointsOfAb,
  pointsOfRun,
  type StoredRun,
} from "./stored-results.ts";

/**
 * One metric on one host, oldest first, with its change points. Runs with validity warnings are
 * left out.
 */
export type Series = {
  host: string;
  suite: string;
  metric: string;
  points: Point[];
  changes: (ChangePoint & { commit: string; at: string })[];
};

/** Reads every run.json and ab.json in the directories of `results`. */
export function readHistory(results: string): Series[] {
  const measured = readdirSync(results, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [
      ...readPoints(join(results, name, "run.json"), (run: StoredRun) => pointsOfRun(name, run)),
      ...readPoints(join(results, name, "ab.json"), pointsOfAb),
    ]);
  const bySeries = Map.groupBy(measured, ({ host, suite, metric }) =>
    JSON.stringify([host, suite, metric]),
  );
  return [...bySeries.values()].map(seriesOf).sort((a, b) => (nameOf(a) < nameOf(b) ? -1 : 1));
}

const nameOf = ({ host, suite, metric }: Series) => `${host} ${suite} ${metric}`;

function seriesOf(measured: Measured[]): Series {
  const { host, suite, metric } = measured[0] as Measured;
  const sorted = measured.toSorted((a, b) => (a.at < b.at ? -1 : 1));
  const points = sorted.map(({ commit, at, value }) => ({ commit, at, value }));
  const changes = findChangePoints(points.map(({ value }) => value)).map((change) => {
    const { commit, at } = points[change.index] as Point;
    return { ...change, commit, at };
  });
  return { host, suite, metric, points, changes };
}

/** Empty if the file does not exist. Zero means "not measured" and is skipped. */
function readPoints<T>(file: string, pointsOf: (stored: T) => Measured[]): Measured[] {
  if (!existsSync(file)) return [];
  return pointsOf(JSON.parse(readFileSync(file, "utf8")) as T).filter(({ value }) => value > 0);
}

/** One line per series, followed by one line per change point. */
export function historyTable(series: Series[]): string {
  const lines = series.flatMap(({ host, suite, metric, points, changes }) => {
    const values = points.map(({ value }) => value);
    const figures = [values.length.toString(), short(median(values)), short(values.at(-1) ?? NaN)];
    const columns = [
      host.padEnd(20),
      suite.padEnd(14),
      metric.padEnd(28),
      ...figures.map((figure) => figure.padStart(9)),
    ];
    return [
      columns.join(" "),
      ...changes.map(({ ratio, p, commit, at }) => {
        const change = `${ratio > 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;
        const significance = p < 1e-6 ? "p < 0.000001" : `p = ${p.toFixed(6)}`;
        return `  ${change} since ${commit}, ${at.slice(0, 10)} (${significance})`;
      }),
    ];
  });
  const head = [
    "host".padEnd(20),
    "suite".padEnd(14),
    "metric".padEnd(28),
    "   points",
    "   median",
    "     last",
  ].join(" ");
  return [head, ...lines].join("\n");
}

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
