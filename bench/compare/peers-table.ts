import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resultDirectory } from "../figures/results.ts";
import type { Estimate } from "../figures/statistics.ts";
import type { PeerFinding, PeersResult } from "./peers.ts";
import type { RequestCost } from "./request-cost.ts";

const ratio = (estimate: Estimate | null) =>
  estimate === null
    ? "–"
    : `${figure(estimate.median)} [${figure(estimate.low)}, ${figure(estimate.high)}]`;
const figure = (value: number) => (value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** The comparison as Markdown. */
export function peersMarkdown(result: PeersResult): string {
  const { host, findings, seconds, rounds, notMeasured, passwords } = result;
  const names = [...new Set(findings.map(({ operation }) => operation))];
  return `# Compared with other servers at ${host.commit}${host.isDirty ? " with changes" : ""}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, Node ${host.node ?? "absent"}, PostgreSQL ${host.postgres}; ${host.pins}. ${rounds.length} rounds of
fresh processes in random order on one database over Unix sockets, ${seconds} s each, closed loop. A ratio is ours / the
other's with its 95 % bootstrap interval. A higher ratio of requests per second is better, and a lower ratio of CPU (server
and PostgreSQL). CPU in µs per request applies to this machine only. Cores in use are requests per second times CPU: a server of
\`/ping\` that uses less than its one core waited for the load or for the machine, and then CPU is the better figure.

${names.map((operation) => `## ${operation}\n\n${table(findings.filter((finding) => finding.operation === operation))}`).join("\n\n")}

${passwords}.

All servers return the same JSON, which is checked before each run. For every request, the peers (\`bench/servers/peer-*\`) verify
the token's signature, look up the login, and assemble the page from flat prepared statements. IronTrack caches verified
tokens, logins and catalog answers, and never serves stale ones (ADR 0004, 0010); the rows without the catalog cache show
the page itself. It counts and logs each request except \`/ping\`, which the proxy logs (ADR 0023); the peers log nothing.
${notMeasured.length === 0 ? "" : `\nNot measured here: ${notMeasured.join(", ")}.\n`}`;
}

function table(findings: PeerFinding[]): string {
  const rows = findings.map(({ ours, beside, rate, cpu, oursMedian, besideMedian }) => [
    ...[ours, beside, ratio(rate), ratio(cpu)],
    ...[({ cpuUs }: RequestCost) => cpuUs, coresInUse].map(
      (figureOf) =>
        `${figureOf(oursMedian).toPrecision(3)} / ${cpu === null ? "–" : figureOf(besideMedian).toPrecision(3)}`,
    ),
  ]);
  const head = [
    "",
    "compared with",
    "requests per second",
    "CPU per request",
    "CPU in µs",
    "cores in use",
  ];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const coresInUse = ({ cpuUs, perSecond }: RequestCost) => (cpuUs * perSecond) / 1e6;

/** Writes the raw figures and the page to a directory in bench/results, and returns its path. */
export function writePeers(result: PeersResult): string {
  const directory = resultDirectory(result.host, "peers");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), `${JSON.stringify(result)}\n`);
  writeFileSync(join(directory, "summary.md"), peersMarkdown(result));
  return directory;
}
