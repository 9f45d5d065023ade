import type { ProfileName } from "../disk/profiles.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import type { Interval } from "./interval.ts";

/**
 * What is not requests over time: a figure with its interval for each column that a scenario has.
 */
export type TableRow = { scenario: string; figures: Record<string, Interval> };

export type TableResult = {
  format: 2;
  suite: string;
  host: Fingerprint;
  profile: ProfileName;
  /** What the figures are of, in a sentence. */
  about: string;
  rows: TableRow[];
  /** Empty when the figures may be believed. */
  doubts: string[];
};

export const tableOf = (
  suite: string,
  { about, rows, postgres, profile, doubts = [] }: Measured & { profile: ProfileName },
): TableResult => ({ format: 2, suite, host: fingerprint(postgres), profile, about, rows, doubts });

/** What a suite measured. `postgres` is its version, or says that there was none. */
export type Measured = { about: string; rows: TableRow[]; postgres: string; doubts?: string[] };

/**
 * As text: half the interval's width beside each mean. Scenarios with other figures are in tables
 * of their own.
 */
export function tableMarkdown({ suite, host, profile, about, rows, doubts }: TableResult): string {
  const doubtful = doubts.length > 0 ? ` Not to be believed: ${doubts.join("; ")}.` : "";
  return `# ${suite} at ${host.commit}, ${profile}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}. ${about}${doubtful}

${tablesOf(rows).map(tableText).join("\n\n")}
`;
}

/** Scenarios with the same figures together, in their order. */
export const tablesOf = (rows: TableRow[]): TableRow[][] => [
  ...Map.groupBy(rows, ({ figures }) => Object.keys(figures).join()).values(),
];

function tableText(rows: TableRow[]): string {
  const columns = Object.keys(rows[0]?.figures ?? {});
  const lines = rows.map(
    ({ scenario, figures }) =>
      `| ${[scenario, ...columns.map((column) => shown(figures[column]))].join(" | ")} |`,
  );
  const head = `| scenario | ${columns.map(inWords).join(" | ")} |\n|---|${"---|".repeat(columns.length)}`;
  return [head, ...lines].join("\n");
}

/** A mean and half the width of its interval. */
export function shown(interval: Interval | undefined): string {
  if (!interval || Number.isNaN(interval.mean)) return "–";
  const { mean, high } = interval;
  const rounded = (value: number) =>
    Math.abs(value) >= 1000 ? value.toFixed(0) : String(+value.toPrecision(3));
  return high === null || high === mean
    ? rounded(mean)
    : `${rounded(mean)} ± ${rounded(high - mean)}`;
}

/** `commitsPerFlush` is "commits per flush", `p50Us` is "p50, µs". */
export function inWords(name: string): string {
  const [, what = name, unit] = /^(.+?)(Us|Ns|Ms)$/.exec(name) ?? [];
  const words = what
    .replace(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace("postgres", "PostgreSQL")
    .replace("cpu", "CPU");
  return unit ? `${words}, ${unit.toLowerCase().replace("us", "µs")}` : words;
}
