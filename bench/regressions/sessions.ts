import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import { RESULTS, resultDirectory } from "../figures/results.ts";
import { type Fingerprint, fingerprint, hostName } from "../hosts/fingerprint.ts";
import type { Checkout } from "../testbed/checkout.ts";
import type { Contender } from "../testbed/pair-testbed.ts";
import { checkOptions, scenariosOf, withCheckouts } from "./ab.ts";
import type { Costs } from "./costs.ts";
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
 * What `ab` is worth: sessions in which there is nothing to find, among sessions in which there is.
 * Writes what was found after each, and goes on from what an earlier call left in the same
 * directory, so that it may be stopped at any time. Throws OperatorError when that was measured of
 * other code or elsewhere.
 */
export async function runSessions({
  wanted,
  operation,
  mostPairs,
  seed,
  out,
}: SessionsOptions): Promise<Sessions> {
  const host = fingerprint("embedded");
  const directory = out ?? begunDirectory(host) ?? resultDirectory(host, "ab-sessions");
  checkOptions({ ...SETTINGS, mostPairs, seed });
  const settings = { operation, plantedShare: PLANTED_SHARE, zone: SETTINGS.zone, mostPairs };
  const fresh: Sessions = { format: 1, host, ...settings, sessions: [] };
  const all = readSessions(directory, fresh);
  const scenarios = scenariosOf([operation]);
  await withCheckouts(["HEAD", "HEAD"], async (checkouts) => {
    for (
      let kind = next(all.sessions, wanted);
      kind !== undefined;
      kind = next(all.sessions, wanted)
    ) {
      const burnUs = kind === "planted" ? PLANTED_SHARE * usualUs(all.sessions) : 0;
      const number = all.sessions.length;
      const [before, after] = checkouts.map((checkout, at) =>
        contender(checkout, kind as Kind, at * burnUs),
      );
      const plan = { ...SETTINGS, mostPairs, seed: seed + number, scenarios };
      const result = await runSession({
        ...plan,
        before: before as Contender,
        after: after as Contender,
      });
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
 * The same is started as in production. A planted one is compared with a planted nothing: only the
 * burning differs.
 */
const contender = (checkout: Checkout, kind: Kind, burnUs: number): Contender =>
  kind === "same"
    ? { checkout }
    : { checkout, command: ["bench/servers/planted-server.ts", "burn", String(burnUs)] };

/** Whichever is further behind; the same first, because it says how much to burn. */
export function next(
  sessions: readonly { kind: Kind }[],
  wanted: Record<Kind, number>,
): Kind | undefined {
  const done = (kind: Kind) =>
    sessions.filter((session) => session.kind === kind).length / (wanted[kind] || 1);
  const missing = (["same", "planted"] as const).filter(
    (kind) => wanted[kind] > 0 && done(kind) < 1,
  );
  return missing.sort((a, b) => done(a) - done(b))[0];
}

/**
 * CPU of a request, as the last session without a fault has measured it: near in time, because
 * neighbours change it.
 */
function usualUs(sessions: SessionSummary[]): number {
  const last = sessions.findLast(({ kind }) => kind === "same");
  if (!last)
    throw new OperatorError(
      "Sessions with a fault need one without: how much is to be burnt is not known",
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
    round(Math.log((costs as Costs).after.cpuUs / (costs as Costs).before.cpuUs)),
  );
  return {
    verdict,
    finding,
    logRatios,
    lastedS: Math.round(lastedS),
    at: new Date().toISOString(),
  };
}

/** Where this code's sessions were written before, on whichever day they began. */
function begunDirectory({ commit }: Fingerprint): string | undefined {
  const name = readdirSync(RESULTS).find((each) => each.endsWith(`-${commit}-ab-sessions`));
  return name && join(RESULTS, name);
}

const round = (value: number) => Math.round(value * 1e5) / 1e5;

function readSessions(directory: string, fresh: Sessions): Sessions {
  const file = join(directory, "sessions.json");
  if (!existsSync(file)) return fresh;
  const found = JSON.parse(readFileSync(file, "utf8")) as Sessions;
  const of = ({ host, operation, mostPairs }: Sessions) =>
    `${hostName(host)} ${host.commit} ${operation} ${mostPairs}`;
  if (of(found) === of(fresh)) return found;
  throw new OperatorError(
    `${file} is of other code, another host or other options: use another --out`,
    2,
  );
}

function write(directory: string, sessions: Sessions) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "sessions.json"), `${JSON.stringify(sessions)}\n`);
  writeFileSync(join(directory, "summary.md"), summaryOf(sessions));
}
