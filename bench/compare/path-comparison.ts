import { loadavg } from "node:os";
import { findPooler } from "#deploy/topology/pooler.ts";
import { findProgram } from "#deploy/topology/proxy.ts";
import {
  type Estimate,
  median,
  mulberry32,
  ratioOfPairs,
  shuffled,
} from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import {
  COMPONENTS,
  type Component,
  missingFor,
  startRequestPath,
} from "../testbed/request-path.ts";
import { openSharedPostgres, type SharedPostgres } from "../testbed/shared-postgres.ts";
import { type Cost, measurePathCost } from "./path-cost.ts";
import {
  type Operation,
  operationsOn,
  QUESTIONS,
  REQUEST_PATHS,
  type RequestPathName,
} from "./request-paths.ts";

/** The comparison of request path `a` with `b`. */
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
  /** The load average at the start; other load on the machine lowers the rates. */
  loadAverage: number;
  programs: string[];
  findings: Finding[];
  /** Questions that could not be measured, and why. */
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
 * Measures all request paths `pairs` times in random order, each with new processes except the
 * postmaster. Ratios compare paths of the same round. Throws OperatorError if a request failed.
 */
export async function compareRequestPaths({
  pairs,
  seconds,
  seed,
  onStep,
}: PathComparisonOptions): Promise<PathComparison> {
  const loadAverage = loadavg()[0] as number;
  const missing = new Map(names().map((name) => [name, missingFor(REQUEST_PATHS[name])]));
  onStep("accounts with training");
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
      format: 1,
      host: { ...fingerprint(shared.version), pins: "no process is pinned" },
      pairs,
      seconds,
      seed,
      loadAverage,
      programs: listPrograms(),
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
    const requestPath = await startRequestPath(shared, REQUEST_PATHS[name]);
    try {
      for (const operation of operationsOn(name))
        costs.set(keyOf(name, operation), await measurePathCost(requestPath, operation, seconds));
    } finally {
      await requestPath.close();
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
  const [costsA, costsB] = [costsOf(a), costsOf(b)];
  const ratio = (figure: (cost: Cost) => number) =>
    ratioOfPairs(
      costsA.map((cost, round) => ({ a: figure(cost), b: figure(costsB[round] as Cost) })),
    );
  return {
    about,
    operation,
    a: medianOf(costsA),
    b: medianOf(costsB),
    cpuRatio: ratio(({ cpuUs }) => cpuUs),
    rateRatio: ratio(({ perSecond }) => perSecond),
  };
}

/** The median of each figure; the components' medians need not add up to the total. */
function medianOf(costs: Cost[]): Cost {
  const middle = (figure: (cost: Cost) => number) => median(costs.map(figure));
  const components = COMPONENTS.map((component) => [
    component,
    middle(({ piecesUs }) => piecesUs[component]),
  ]);
  return {
    cpuUs: middle(({ cpuUs }) => cpuUs),
    piecesUs: Object.fromEntries(components) as Record<Component, number>,
    perSecond: middle(({ perSecond }) => perSecond),
  };
}

function listPrograms(): string[] {
  const programs = [
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
  return [...new Set(programs)];
}
