import { loadavg } from "node:os";
import { findPooler } from "#deploy/topology/pooler.ts";
import { findProgram } from "#deploy/topology/proxy.ts";
import { type Estimate, median, mulberry32, ratioOfPairs } from "../figures/statistics.ts";
import { type Fingerprint, fingerprint } from "../hosts/fingerprint.ts";
import { missingFor, openPath, PIECES, type Piece } from "../testbed/request-path.ts";
import { type Ground, openGround } from "../testbed/shared-postgres.ts";
import { type Cost, measure } from "./path-cost.ts";
import { type Operation, operationsOn, PATHS, type PathName, QUESTIONS } from "./request-paths.ts";

/** `a` beside `b` of a question. */
export type Finding = {
  about: string;
  operation: Operation;
  a: Cost;
  b: Cost;
  cpuRatio: Estimate;
  rateRatio: Estimate;
};

export type HopsResult = {
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

export type HopsOptions = {
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
export async function measureHops({
  pairs,
  seconds,
  seed,
  onStep,
}: HopsOptions): Promise<HopsResult> {
  const loadAverage = loadavg()[0] as number;
  const missing = new Map(names().map((name) => [name, missingFor(PATHS[name])]));
  onStep("people who have trained");
  const ground = await openGround();
  try {
    const random = mulberry32(seed);
    const rounds: Costs[] = [];
    for (let round = 1; round <= pairs; round++) {
      const order = shuffled(
        names().filter((name) => missing.get(name) === undefined),
        random,
      );
      rounds.push(
        await measureRound(ground, order, seconds, (name) =>
          onStep(`${round} of ${pairs}: ${name}`),
        ),
      );
    }
    const why = ({ a, b }: { a: PathName; b: PathName }) => missing.get(a) ?? missing.get(b);
    return {
      ...{ format: 1, host: { ...fingerprint(ground.version), pins: "nobody is pinned" } },
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
    await ground.close();
  }
}

const names = () => Object.keys(PATHS) as PathName[];
const keyOf = (name: PathName, operation: Operation) => `${name}/${operation}`;

async function measureRound(
  ground: Ground,
  order: PathName[],
  seconds: number,
  onStep: (name: PathName) => void,
): Promise<Costs> {
  const costs: Costs = new Map();
  for (const name of order) {
    onStep(name);
    const path = await openPath(ground, PATHS[name]);
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
  a: PathName,
  b: PathName,
): Finding {
  const costsOf = (name: PathName) =>
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
  const pieces = PIECES.map((piece) => [piece, of(({ piecesUs }) => piecesUs[piece])]);
  return {
    cpuUs: of(({ cpuUs }) => cpuUs),
    piecesUs: Object.fromEntries(pieces) as Record<Piece, number>,
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
