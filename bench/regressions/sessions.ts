import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { RESULTS, resultDirectory } from "../figures/results.ts";
import { type Fingerprint, fingerprint, hostName } from "../hosts/fingerprint.ts";
import type { Checkout } from "../testbed/checkout.ts";
import type { Contender } from "../testbed/pair-testbed.ts";
import { checkOptions, scenariosOf, withCheckouts } from "./ab.ts";
import type { PairCosts } from "./costs.ts";
import { type Finding, runSession, type SessionResult } from "./session.ts";
import { type Kind, type SessionSummary, type Sessions, summaryOf } from "./sessions-summary.ts";

export type SessionsOptions = {
  wanted: Record<Kind, number>;
  operation: string;
  mostPairs: number;
  seed: number;
  out?: string;
};

const SETTINGS = { mode: "interleaved", zone: 0.02, runMs: 700, rate: 100 } as const;
const PLANTED_SHARE = 0.05;

/**
 * Measures the error rates of `ab`: A/A sessions give false alarms, sessions with a planted fault
 * give detections. Writes the results after each session and resumes from a previous call with the
 * same directory. Throws OperatorError if that call measured other code or another host.
 */
export async function runSessions({
  wanted,
  operation,
  mostPairs,
  seed,
  out,
}: SessionsOptions): Promise<Sessions> {
  const host = fingerprint("embedded");
  const directory = out ?? existingDirectory(host) ?? resultDirectory(host, "ab-sessions");
  checkOptions({ ...SETTINGS, mostPairs, seed });
  const settings = { operation, plantedShare: PLANTED_SHARE, zone: SETTINGS.zone, mostPairs };
  const fresh: Sessions = { format: 1, host, ...settings, sessions: [] };
  const all = readSessions(directory, fresh);
  const scenarios = scenariosOf([operation]);
  await withCheckouts(["HEAD", "HEAD"], async (checkouts) => {
    for (;;) {
      const kind = nextKind(all.sessions, wanted);
      if (!kind) break;
      const burnUs = kind === "planted" ? PLANTED_SHARE * recentCpuUs(all.sessions) : 0;
      const number = all.sessions.length;
      const before = contenderOf(checkouts[0], kind, 0);
      const after = contenderOf(checkouts[1], kind, burnUs);
      const plan = { ...SETTINGS, mostPairs, seed: seed + number, scenarios };
      const result = await runSession({ ...plan, before, after });
      all.sessions.push({ kind, seed: plan.seed, burnUs: round(burnUs), ...summarise(result) });
      write(directory, all);
      process.stderr.write(
        `${number + 1}: ${kind}, ${result.verdict} after ${result.pairs.length} pairs\n`,
      );
    }
  });
  process.stderr.write(`Written to ${directory}\n`);
  return all;
}

/**
 * A/A sessions start the server as in production. With a planted fault both sides run the planted
 * server, so that only the burnt CPU differs.
 */
const contenderOf = (checkout: Checkout, kind: Kind, burnUs: number): Contender =>
  kind === "same"
    ? { checkout }
    : { checkout, command: ["bench/servers/planted-server.ts", "burn", String(burnUs)] };

/** The kind that is further behind; A/A first, because it determines how much CPU to burn. */
export function nextKind(
  sessions: readonly { kind: Kind }[],
  wanted: Record<Kind, number>,
): Kind | undefined {
  const progressOf = (kind: Kind) =>
    sessions.filter((session) => session.kind === kind).length / (wanted[kind] || 1);
  const missing = (["same", "planted"] as const).filter(
    (kind) => wanted[kind] > 0 && progressOf(kind) < 1,
  );
  return missing.sort((a, b) => progressOf(a) - progressOf(b))[0];
}

/**
 * CPU per request in the latest A/A session. It must be recent, because other load on the machine
 * changes it.
 */
function recentCpuUs(sessions: SessionSummary[]): number {
  const last = sessions.findLast(({ kind }) => kind === "same");
  if (!last)
    throw new OperatorError(
      "A session with a planted fault needs an A/A session first, to know how much CPU to burn",
      2,
    );
  return (last.finding.before + last.finding.after) / 2;
}

function summarise({ verdict, findings, pairs, lastedS }: SessionResult) {
  const { before, after, ratio, low, high } = findings[0] as Finding;
  const finding = {
    before: round(before),
    after: round(after),
    ratio: round(ratio),
    low: round(low),
    high: round(high),
  };
  const logRatios = pairs.map(([costs]) =>
    round(Math.log((costs as PairCosts).after.cpuUs / (costs as PairCosts).before.cpuUs)),
  );
  return {
    verdict,
    finding,
    logRatios,
    lastedS: Math.round(lastedS),
    at: new Date().toISOString(),
  };
}

/** The directory of earlier sessions of this commit, whatever their date. */
function existingDirectory({ commit }: Fingerprint): string | undefined {
  const name = readdirSync(RESULTS).find((each) => each.endsWith(`-${commit}-ab-sessions`));
  return name && join(RESULTS, name);
}

const round = (value: number) => Math.round(value * 1e5) / 1e5;

function readSessions(directory: string, fresh: Sessions): Sessions {
  const file = join(directory, "sessions.json");
  if (!existsSync(file)) return fresh;
  const stored = JSON.parse(readFileSync(file, "utf8")) as Sessions;
  const settingsOf = ({ host, operation, mostPairs }: Sessions) =>
    `${hostName(host)} ${host.commit} ${operation} ${mostPairs}`;
  if (settingsOf(stored) === settingsOf(fresh)) return stored;
  throw new OperatorError(`${file} has another commit, host or options: use another --out`, 2);
}

function write(directory: string, sessions: Sessions) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "sessions.json"), `${JSON.stringify(sessions)}\n`);
  writeFileSync(join(directory, "summary.md"), summaryOf(sessions));
}
