import type { ProfileName } from "../disk/profiles.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { meanText } from "./format.ts";
import type { Interval } from "./interval.ts";

/** One scenario of a suite that has no latency distribution: one interval per column. */
export type TableRow = { scenario: string; figures: Record<string, Interval> };

export type TableResult = {
  format: 2;
  suite: string;
  host: Fingerprint;
  profile: ProfileName;
  /** One sentence that describes the measurement. */
  about: string;
  rows: TableRow[];
  /** Validity warnings; empty for a valid result. */
  doubts: string[];
};

export const tableOf = (
  suite: string,
  { about, rows, postgres, profile, doubts = [] }: Measured & { profile: ProfileName },
): TableResult => ({ format: 2, suite, host: fingerprint(postgres), profile, about, rows, doubts });

/** The measurements of a suite. `postgres` is its version, or a note that none was used. */
export type Measured = { about: string; rows: TableRow[]; postgres: string; doubts?: string[] };

/** The result as Markdown; scenarios with different columns get separate tables. */
export function tableMarkdown({ suite, host, profile, about, rows, doubts }: TableResult): string {
  const warnings = doubts.length > 0 ? ` Not valid: ${doubts.join("; ")}.` : "";
  return `# ${suite} at ${host.commit}, ${profile}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, PostgreSQL ${host.postgres}. ${about}${warnings}

${tablesOf(rows).map(tableText).join("\n\n")}
`;
}

/** Groups scenarios that have the same columns, in their original order. */
export const tablesOf = (rows: TableRow[]): TableRow[][] => [
  ...Map.groupBy(rows, ({ figures }) => Object.keys(figures).join()).values(),
];

function tableText(rows: TableRow[]): string {
  const columns = Object.keys(rows[0]?.figures ?? {});
  const lines = rows.map(
    ({ scenario, figures }) =>
      `| ${[scenario, ...columns.map((column) => meanText(figures[column]))].join(" | ")} |`,
  );
  const head = `| scenario | ${columns.map(columnLabel).join(" | ")} |\n|---|${"---|".repeat(columns.length)}`;
  return [head, ...lines].join("\n");
}

/** `commitsPerFlush` is "commits per flush", `p50Us` is "p50, µs". */
export function columnLabel(name: string): string {
  const [, what = name, unit] = /^(.+?)(Us|Ns|Ms)$/.exec(name) ?? [];
  const words = what
    .replace(/(?<!^)[A-Z]/g, (letter) => ` ${letter.toLowerCase()}`)
    .replace("postgres", "PostgreSQL")
    .replace("cpu", "CPU");
  return unit ? `${words}, ${unit.toLowerCase().replace("us", "µs")}` : words;
}
