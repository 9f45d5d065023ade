import { median } from "../figures/statistics.ts";
import type { Fingerprint } from "../hosts/fingerprint.ts";
import type { Verdict } from "./decision.ts";
import type { Finding } from "./session.ts";

/** `same`: an A/A session. `planted`: the "after" side burns more CPU for each request. */
export type Kind = "same" | "planted";

/** The outcome of a session, with the log ratio after / before of each pair. */
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

/** False alarms, detections and a line for every session, as Markdown. */
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
  const detections = planted.filter(({ verdict }) => verdict === "slower").length;
  return `# Error rates of \`bench ab\` at ${host.commit}

${host.cpu}, ${host.cores} cores, kernel ${host.kernel}, Bun ${host.bun}; ${host.at.slice(0, 10)}. Interleaved runs of ${operation}, CPU of the
server and PostgreSQL, at most ${mostPairs} pairs; differences below ${percent(zone)} count as equal. Planted fault: ${percent(plantedShare)} more CPU per
request on the "after" side.

| | sessions | slower | faster | equal | inconclusive | 95 % intervals that exclude 1 | pairs | seconds | spread across pairs |
|---|---|---|---|---|---|---|---|---|---|
${row("A/A", same)}
${row("planted", planted)}

**${alarms} false alarms in ${same.length} A/A sessions; ${detections} of ${planted.length} planted faults detected.** Pairs, seconds and spread
(standard deviation of the log ratios of a session) are medians.

| # | kind | seed | verdict | pairs | after / before | 95 % interval | CPU before, µs | CPU added, µs | seconds |
|---|---|---|---|---|---|---|---|---|---|
${sessions.map(line).join("\n")}
`;
}

const ofKind = (sessions: SessionSummary[], wanted: Kind) =>
  sessions.filter(({ kind }) => kind === wanted);
const percent = (share: number) => `${(share * 100).toFixed(1)} %`;

function row(name: string, sessions: SessionSummary[]): string {
  const count = (wanted: string) => sessions.filter(({ verdict }) => verdict === wanted).length;
  const excluding = sessions.filter(({ finding: { low, high } }) => low > 1 || high < 1).length;
  const verdicts = ["slower", "faster", "equal", "inconclusive"].map(count);
  const pairs = median(sessions.map(({ logRatios }) => logRatios.length));
  const seconds = median(sessions.map(({ lastedS }) => lastedS));
  const spread = median(sessions.map(({ logRatios }) => deviation(logRatios)));
  return `| ${[name, sessions.length, ...verdicts, excluding, pairs, seconds, percent(spread)].join(" | ")} |`;
}

function line(session: SessionSummary, index: number): string {
  const { kind, seed, verdict, logRatios, finding, burnUs, lastedS } = session;
  const { ratio, low, high, before } = finding;
  const interval = `[${low.toFixed(3)}, ${high.toFixed(3)}]`;
  const figures = [ratio.toFixed(3), interval, before.toFixed(1), burnUs.toFixed(1), lastedS];
  return `| ${[index + 1, kind, seed, verdict, logRatios.length, ...figures].join(" | ")} |`;
}

/** Sample standard deviation. */
function deviation(values: number[]): number {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
  return Math.sqrt(
    values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / (values.length - 1),
  );
}
