import { loadavg } from "node:os";
import { findPooler } from "#deploy/topology/pooler.ts";
import { findProgram } from "#deploy/topology/proxy.ts";
import { type Estimate, median, mulberry32, ratioOfPairs } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import {
  COMPONENTS,
  type Component,
  missingFor,
  startRequestPath,
} from "../testbed/request-path.ts";
import { openSharedPostgres, type SharedPostgres } from "../testbed/shared-postgres.ts";
import { type Cost, measure } from "./path-cost.ts";
import {
  type Operation,
  operationsOn,
  QUESTIONS,
  REQUEST_PATHS,
  type RequestPathName,
} from "./request-paths.ts";

/** `a` beside `b` of a question. */
export type Finding = {
  about: string;
  operation: Operation;
  a: Cost;
  b: Cost;
  cpuRatio: Estimate;
  rateRatio: Estimate;
};

export type PathComparison = {
  format: 1;
  host: Fingerprint;
  pairs: number;
  seconds: number;
  seed: number;
  /** Others' work makes rates those of a busy machine: the load average when it began. */
  loadAverage: number;
  programs: string[];
  findings: Finding[];
  /** Questions without an answer, and why. */
  notMeasured: { about: string; why: string }[];
};

export type PathComparisonOptions = {
  pairs: number;
  seconds: number;
  seed: number;
  onStep(step: string): void;
};

type Costs = Map<string, Cost>;

/**
 * Goes through all paths `pairs` times, in another random order each time, every process of a path
 * but the postmaster freshly started. What is compared was measured in the same round. Throws
 * OperatorError when a request failed.
 */
export async function compareRequestPaths({
  pairs,
  seconds,
  seed,
  onStep,
}: PathComparisonOptions): Promise<PathComparison> {
  const loadAverage = loadavg()[0] as number;
  const missing = new Map(names().map((name) => [name, missingFor(REQUEST_PATHS[name])]));
  onStep("people who have trained");
  const shared = await openSharedPostgres();
  try {
    const random = mulberry32(seed);
    const rounds: Costs[] = [];
    for (let round = 1; round <= pairs; round++) {
      const order = shuffled(
        names().filter((name) => missing.get(name) === undefined),
        random,
      );
      rounds.push(
        await measureRound(shared, order, seconds, (name) =>
          onStep(`${round} of ${pairs}: ${name}`),
        ),
      );
    }
    const why = ({ a, b }: { a: RequestPathName; b: RequestPathName }) =>
      missing.get(a) ?? missing.get(b);
    return {
      ...{ format: 1, host: { ...fingerprint(shared.version), pins: "nobody is pinned" } },
      ...{ pairs, seconds, seed, loadAverage, programs: programsHere() },
      findings: QUESTIONS.filter((question) => why(question) === undefined).flatMap(
        ({ about, a, b, operations }) =>
          operations.map((operation) => findingOf(about, operation, rounds, a, b)),
      ),
      notMeasured: QUESTIONS.flatMap((question) => {
        const reason = why(question);
        return reason === undefined ? [] : [{ about: question.about, why: reason }];
      }),
    };
  } finally {
    await shared.close();
  }
}

const names = () => Object.keys(REQUEST_PATHS) as RequestPathName[];
const keyOf = (name: RequestPathName, operation: Operation) => `${name}/${operation}`;

async function measureRound(
  shared: SharedPostgres,
  order: RequestPathName[],
  seconds: number,
  onStep: (name: RequestPathName) => void,
): Promise<Costs> {
  const costs: Costs = new Map();
  for (const name of order) {
    onStep(name);
    const path = await startRequestPath(shared, REQUEST_PATHS[name]);
    try {
      for (const operation of operationsOn(name))
        costs.set(keyOf(name, operation), await measure(path, operation, seconds));
    } finally {
      await path.close();
    }
  }
  return costs;
}

function findingOf(
  about: string,
  operation: Operation,
  rounds: Costs[],
  a: RequestPathName,
  b: RequestPathName,
): Finding {
  const costsOf = (name: RequestPathName) =>
    rounds.map((costs) => costs.get(keyOf(name, operation)) as Cost);
  const [ofA, ofB] = [costsOf(a), costsOf(b)];
  const ratio = (of: (cost: Cost) => number) =>
    ratioOfPairs(ofA.map((cost, round) => ({ a: of(cost), b: of(ofB[round] as Cost) })));
  return {
    about,
    operation,
    a: middleOf(ofA),
    b: middleOf(ofB),
    cpuRatio: ratio(({ cpuUs }) => cpuUs),
    rateRatio: ratio(({ perSecond }) => perSecond),
  };
}

/** Each figure's own median: the pieces need not add up to the whole. */
function middleOf(costs: Cost[]): Cost {
  const of = (figure: (cost: Cost) => number) => median(costs.map(figure));
  const pieces = COMPONENTS.map((piece) => [piece, of(({ piecesUs }) => piecesUs[piece])]);
  return {
    cpuUs: of(({ cpuUs }) => cpuUs),
    piecesUs: Object.fromEntries(pieces) as Record<Component, number>,
    perSecond: of(({ perSecond }) => perSecond),
  };
}

/** Fisher and Yates. */
function shuffled<T>(values: T[], random: () => number): T[] {
  const mixed = [...values];
  for (let last = mixed.length - 1; last > 0; last--) {
    const at = Math.floor(random() * (last + 1));
    [mixed[last], mixed[at]] = [mixed[at] as T, mixed[last] as T];
  }
  return mixed;
}

function programsHere(): string[] {
  const found = [
    () => findProgram().program,
    () => `PgBouncer ${findPooler("pgbouncer").version}`,
    () => `PgBouncer ${findPooler().version}`,
  ].flatMap((find) => {
    try {
      return [find()];
    } catch {
      return [];
    }
  });
  return [...new Set(found)];
}
