import { mkdirSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { resultDirectory } from "../figures/results.ts";
import type { Estimate } from "../figures/statistics.ts";
import type { Measured } from "./measured.ts";
import type { PeerFinding, PeersResult } from "./peers.ts";

const ratio = (estimate: Estimate | null) =>
  estimate === null
    ? "–"
    : `${figure(estimate.median)} [${figure(estimate.low)}, ${figure(estimate.high)}]`;
const figure = (value: number) => (value >= 10 ? value.toFixed(1) : value.toFixed(2));

/** The comparison as a page for people. */
export function peersMarkdown(result: PeersResult): string {
  const { host, findings, seconds, rounds, notMeasured, passwords } = result;
  const names = [...new Set(findings.map(({ operation }) => operation))];
  return `# Beside others at ${host.commit}${host.isDirty ? " with changes" : ""}

${host.cpu}, ${host.cores} cores, Bun ${host.bun}, Node ${host.node ?? "absent"}, PostgreSQL ${host.postgres}; ${host.pins}. ${rounds.length} rounds of
fresh processes in random order on one database over Unix sockets, ${seconds} s each, closed loop. A ratio is ours / the
other's, with its 95 % bootstrap interval: of requests a second more is better, of CPU (server and PostgreSQL) less is. CPU
in µs per request is of this machine in that hour, and says nothing of another. Cores in use are requests a second
times CPU: a server of \`/ping\` that uses less than its one core waited for the load, or for a busy machine, and then its CPU
says more than its requests a second.

${names.map((operation) => `## ${operation}\n\n${table(findings.filter((finding) => finding.operation === operation))}`).join("\n\n")}

${passwords}.

Everybody answers the same JSON, which is checked before each run. The peers (\`bench/servers/peer-*\`) verify the token's signature,
look up the login, and put the page together from flat prepared statements, for every request. IronTrack remembers verified
tokens, logins and answers of the catalog, exactly (ADR 0004, 0010); the rows that set no answers say what the page is
without that. It counts and logs each request but \`/ping\`, which a proxy does (ADR 0023); the peers log nothing.
${notMeasured.length === 0 ? "" : `\nNot measured here: ${notMeasured.join(", ")}.\n`}`;
}

function table(findings: PeerFinding[]): string {
  const rows = findings.map(({ ours, beside, rate, cpu, oursMedian, besideMedian }) => [
    ...[ours, beside, ratio(rate), ratio(cpu)],
    ...[({ cpuUs }: Measured) => cpuUs, coresInUse].map(
      (of) =>
        `${of(oursMedian).toPrecision(3)} / ${cpu === null ? "–" : of(besideMedian).toPrecision(3)}`,
    ),
  ]);
  const head = ["", "beside", "requests a second", "CPU per request", "CPU in µs", "cores in use"];
  return [head, head.map(() => "---"), ...rows]
    .map((cells) => `| ${cells.join(" | ")} |`)
    .join("\n");
}

const coresInUse = ({ cpuUs, perSecond }: Measured) => (cpuUs * perSecond) / 1e6;

/** Writes the raw figures and the page into a directory of bench/results, and says where. */
export function writePeers(result: PeersResult): string {
  const directory = resultDirectory(result.host, "peers");
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "run.json"), `${JSON.stringify(result)}\n`);
  writeFileSync(join(directory, "summary.md"), peersMarkdown(result));
  return directory;
}
