import { median } from "../figures/statistics.ts";
import type { Fingerprint } from "../hosts/fingerprint.ts";
import type { Verdict } from "./decision.ts";
import type { Finding } from "./session.ts";

/**
 * `same`: the same code on both sides. `planted`: the later one burns a share more CPU for each
 * request.
 */
export type Kind = "same" | "planted";

/** What a session found, with the logarithm of after / before of each of its pairs. */
export type SessionSummary = {
  kind: Kind;
  seed: number;
  burnUs: number;
  verdict: Verdict;
  finding: Omit<Finding, "operation" | "metric" | "verdict">;
  logRatios: number[];
  lastedS: number;
  at: string;
};

export type Sessions = {
  format: 1;
  host: Fingerprint;
  operation: string;
  plantedShare: number;
  zone: number;
  mostPairs: number;
  sessions: SessionSummary[];
};

/** False alarms, detections, and a line for every session, as Markdown. */
export function summaryOf({
  host,
  operation,
  plantedShare,
  zone,
  mostPairs,
  sessions,
}: Sessions): string {
  const [same, planted] = (["same", "planted"] as const).map((kind) => ofKind(sessions, kind)) as [
    SessionSummary[],
    SessionSummary[],
  ];
  const alarms = same.filter(({ verdict }) => verdict === "slower" || verdict === "faster").length;
  const found = planted.filter(({ verdict }) => verdict === "slower").length;
  return `# What \`bun bench ab\` is worth, at ${host.commit}

${host.cpu}, ${host.cores} cores, kernel ${host.kernel}, Bun ${host.bun}; ${host.at.slice(0, 10)}. Interleaved runs of ${operation}, CPU of server
and PostgreSQL, at most ${mostPairs} pairs, a zone of ${percent(zone)} in which a difference counts as none. Planted: ${percent(plantedShare)} of the CPU
of a request, burnt in the later one.

| | sessions | slower | faster | equal | inconclusive | 95 % intervals without 1 | pairs | seconds | spread of a pair |
|---|---|---|---|---|---|---|---|---|---|
${row("the same code", same)}
${row("planted", planted)}

**${alarms} false alarms in ${same.length} sessions with nothing to find; ${found} of ${planted.length} planted faults found.** Pairs, seconds and spread
(standard deviation of the log ratio within a session) are medians.

| # | kind | seed | verdict | pairs | after / before | 95 % interval | CPU before, µs | burnt, µs | seconds |
|---|---|---|---|---|---|---|---|---|---|
${sessions.map(line).join("\n")}
`;
}

const ofKind = (sessions: SessionSummary[], wanted: Kind) =>
  sessions.filter(({ kind }) => kind === wanted);
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

function row(name: string, sessions: SessionSummary[]): string {
  const count = (wanted: string) => sessions.filter(({ verdict }) => verdict === wanted).length;
  const without = sessions.filter(({ finding: { low, high } }) => low > 1 || high < 1).length;
  const verdicts = ["slower", "faster", "equal", "inconclusive"].map(count);
  const pairs = median(sessions.map(({ logRatios }) => logRatios.length));
  const seconds = median(sessions.map(({ lastedS }) => lastedS));
  const spread = median(sessions.map(({ logRatios }) => deviation(logRatios)));
  return `| ${[name, sessions.length, ...verdicts, without, pairs, seconds, percent(spread)].join(" | ")} |`;
}

function line(session: SessionSummary, at: number): string {
  const { kind, seed, verdict, logRatios, finding, burnUs, lastedS } = session;
  const { ratio, low, high, before } = finding;
  const interval = `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const figures = [ratio.toFixed(3), interval, before.toFixed(1), burnUs.toFixed(1), lastedS];
  return `| ${[at + 1, kind, seed, verdict, logRatios.length, ...figures].join(" | ")} |`;
}

/** Sample standard deviation. */
function deviation(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
  );
}
