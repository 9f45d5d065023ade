import { existsSync, readdirSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { median } from "../figures/statistics.ts";
import { type ChangePoint, findChangePoints } from "./change-points.ts";
import { type Measured, type Point, pointsOfAb, pointsOfRun } from "./stored-results.ts";

/**
 * One figure on one host over time, oldest first, and where it changed. What is not believed is not
 * in it.
 */
export type Series = {
  host: string;
  suite: string;
  metric: string;
  points: Point[];
  changes: (ChangePoint & { commit: string; at: string })[];
};

/** Reads what `run`, `ab` and `gate` have left in the directories below `results`. */
export function readHistory(results: string): Series[] {
  const measured = readdirSync(results, { withFileTypes: true })
    .filter((entry) => entry.isDirectory())
    .flatMap(({ name }) => [
      ...ifThere<Parameters<typeof pointsOfRun>[1]>(join(results, name, "run.json"), (run) =>
        pointsOfRun(name, run),
      ),
      ...ifThere(join(results, name, "ab.json"), pointsOfAb),
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

function ifThere<T>(file: string, pointsOf: (found: T) => Measured[]): Measured[] {
  return existsSync(file)
    ? pointsOf(JSON.parse(readFileSync(file, "utf8")) as T).filter(({ value }) => value > 0)
    : [];
}

/** A line for each series, and one for each change in it. */
export function historyTable(series: Series[]): string {
  const lines = series.flatMap(({ host, suite, metric, points, changes }) => {
    const values = points.map(({ value }) => value);
    const figures = [
      String(values.length),
      short(median(values)),
      short(values.at(-1) ?? Number.NaN),
    ];
    const columns = [
      host.padEnd(20),
      suite.padEnd(14),
      metric.padEnd(28),
      ...figures.map((figure) => figure.padStart(9)),
    ];
    return [
      columns.join(" "),
      ...changes.map(({ ratio, p, commit, at }) => {
        const by = `${ratio > 1 ? "+" : ""}${((ratio - 1) * 100).toFixed(1)} %`;
        return `  ${by} from ${commit} on, ${at.slice(0, 10)} (p ${p < 1e-6 ? "below 0.000001" : p.toFixed(6)})`;
      }),
    ];
  });
  const head = [
    "host".padEnd(20),
    "suite".padEnd(14),
    "figure".padEnd(28),
    "   points",
    "   median",
    "     last",
  ].join(" ");
  return [head, ...lines].join("\n");
}

const short = (value: number) => (value >= 100 ? value.toFixed(0) : value.toPrecision(3));
