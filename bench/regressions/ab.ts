import { mkdirSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";
import { temporaryDirectory } from "#lib/processes/temporary.ts";
import { estimateText } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { HTTP_SCENARIOS, USUAL } from "../suites/http.ts";
import type { Scenario } from "../suites/scenario.ts";
import { type Checkout, checkOut } from "../testbed/checkout.ts";
import { INTERIM_ANALYSES } from "./decision.ts";
import { type Finding, type Plan, runSession, type SessionResult } from "./session.ts";

export type AbOptions = Pick<Plan, "mode" | "zone" | "mostPairs" | "seed" | "runMs" | "rate">;

/** The content of ab.json, also printed with --json. */
export type AbResult = SessionResult & {
  format: 1;
  host: Fingerprint;
  before: string;
  after: string;
  options: AbOptions;
};

/**
 * Compares two versions on the named operations, by default the usual ones. Throws OperatorError
 * for unknown refs, operations and invalid options.
 */
export async function compareVersions(
  refs: [string, string],
  names: string[],
  options: AbOptions,
): Promise<AbResult> {
  const scenarios = scenariosOf(names);
  checkOptions(options);
  return await withCheckouts(refs, async ([before, after]) => {
    const plan = {
      ...options,
      before: { checkout: before },
      after: { checkout: after },
      scenarios,
    };
    const result = await runSession(plan, (pairs) => showProgress(pairs, options.mostPairs));
    clearProgress();
    const versions = {
      before: `${before.ref} (${before.commit})`,
      after: `${after.ref} (${after.commit})`,
    };
    return { format: 1, host: fingerprint("embedded"), ...versions, options, ...result };
  });
}

/** Runs `work` with both refs checked out below $TMPDIR; removes them afterwards in any case. */
export async function withCheckouts<T>(
  [before, after]: [string, string],
  work: (checkouts: [Checkout, Checkout]) => Promise<T>,
): Promise<T> {
  const directory = temporaryDirectory("versions");
  const checkouts: Checkout[] = [];
  try {
    checkouts.push(checkOut(before, join(directory, "before")));
    checkouts.push(checkOut(after, join(directory, "after")));
    return await work(checkouts as [Checkout, Checkout]);
  } finally {
    for (const checkout of checkouts) checkout.remove();
    rmSync(directory, { recursive: true, force: true });
  }
}

/** The scenarios of the named operations, in that order. Throws OperatorError if one is unknown. */
export function scenariosOf(names: string[]): Scenario[] {
  return (names.length > 0 ? names : USUAL).map((name) => {
    const scenario = HTTP_SCENARIOS.find(({ operation }) => operation === name);
    if (scenario) return scenario;
    const operations = HTTP_SCENARIOS.map(({ operation }) => operation);
    const suggestion = nearest(name, operations);
    const hint = suggestion ? `: did you mean ${suggestion}?` : "";
    throw new OperatorError(`There is no operation ${name}${hint}`, 2);
  });
}

/** Throws OperatorError for an invalid option. */
export function checkOptions({ zone, mostPairs, seed, runMs, rate }: AbOptions) {
  if (!(zone > 0 && zone < 1))
    throw new OperatorError("--zone is a percentage above 0 and below 100", 2);
  if (!INTERIM_ANALYSES.includes(mostPairs))
    throw new OperatorError(`--most-pairs is one of ${INTERIM_ANALYSES.join(", ")}`, 2);
  for (const [name, value] of Object.entries({ seed, seconds: runMs, rate })) {
    if (!(value > 0)) throw new OperatorError(`--${name} is a number above 0`, 2);
  }
}

/** Exit codes: 1 for a regression, 2 for an inconclusive result. */
export const EXIT_CODES = { faster: 0, equal: 0, slower: 1, inconclusive: 2 } as const;

export function printAbResult({
  host,
  before,
  after,
  options,
  findings,
  pairs,
  verdict,
  lastedS,
}: AbResult) {
  console.log(
    `${host.cpu}, ${host.cores} cores; ${pairs.length} pairs in ${lastedS.toFixed(0)} s, seed ${options.seed}`,
  );
  console.log(`before  ${before}\nafter   ${after}\n`);
  console.log(
    `${"operation".padEnd(22)}${"metric".padEnd(8)}${"before".padStart(9)}${"after".padStart(9)}   after / before      verdict`,
  );
  for (const finding of findings) console.log(lineOf(finding));
  console.log(
    `\n${verdict}: differences below ${(options.zone * 100).toFixed(1)} % count as equal`,
  );
}

const FIGURES = { cpuUs: "CPU µs", p50Ms: "p50 ms", p90Ms: "p90 ms" };

function lineOf({ operation, metric, before, after, ratio, low, high, verdict }: Finding): string {
  const digits = metric === "cpuUs" ? 1 : 3;
  const figure = (value: number) => (Number.isNaN(value) ? "" : value.toFixed(digits)).padStart(9);
  const interval = estimateText({ median: ratio, low, high }, 3);
  return `${operation.padEnd(22)}${FIGURES[metric].padEnd(8)}${figure(before)}${figure(after)}   ${interval}   ${verdict}`;
}

/** Writes ab.json, which `history` reads. */
export function writeAbResult(directory: string, result: AbResult) {
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, "ab.json"), `${JSON.stringify(result)}\n`);
}

function showProgress(pairs: number, maxPairs: number) {
  if (process.stderr.isTTY) process.stderr.write(`\r\x1b[K${pairs} of at most ${maxPairs} pairs`);
}

const clearProgress = () => void (process.stderr.isTTY && process.stderr.write("\r\x1b[K"));
