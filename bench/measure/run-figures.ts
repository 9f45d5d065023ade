import { type Interval, intervalOf } from "../figures/interval.ts";
import { figuresOf, type LoadFigures, type Recording } from "../load/recording.ts";
import type { Run, Runs } from "../load/runs.ts";
import { curveOf, type SecondFigures, secondsOf } from "../load/series.ts";

/** The figures of several runs of one scenario. */
export type RunFigures = {
  /** Figures of all runs together; intervals are over `runs`, each of which is one sample. */
  figures: LoadFigures;
  runs: {
    meanMs: number;
    p50Ms: number | null;
    p99Ms: number | null;
    offered: number;
    achieved: number;
  }[];
  intervals: { meanMs: Interval; p50Ms: Interval | null };
  /** For a mix, the figures of each operation. */
  parts: { operation: string; figures: LoadFigures }[];
  seconds: SecondFigures[];
  curve: { share: number; ms: number }[];
};

/** Computes the figures of runs; `operations` names the operation of each recorded request. */
export function figuresOfRuns({ recording, each }: Runs, operations: string[]): RunFigures {
  const runs = each.map(runOf);
  const p50s = runs.flatMap(({ p50Ms }) => p50Ms ?? []);
  return {
    figures: figuresOf(recording),
    runs,
    intervals: {
      meanMs: intervalOf(runs.map(({ meanMs }) => meanMs)),
      p50Ms: p50s.length === runs.length ? intervalOf(p50s) : null,
    },
    parts: partsOf(recording, operations),
    seconds: secondsOf(recording),
    curve: curveOf(recording),
  };
}

const runOf = ({
  figures: { responseMs },
  offered,
  achieved,
}: Run): RunFigures["runs"][number] => ({
  meanMs: responseMs.mean,
  p50Ms: responseMs.percentiles[0.5] ?? null,
  p99Ms: responseMs.percentiles[0.99] ?? null,
  offered,
  achieved,
});

/** Empty for a scenario with one operation. */
function partsOf(recording: Recording, operations: string[]): RunFigures["parts"] {
  const names = [...new Set(operations)].sort();
  if (names.length < 2) return [];
  return names.map((operation) => {
    const isPart = (_: number, index: number) => operations[index] === operation;
    const { due, sent, done, status, bodyBytes, retryAfterS } = recording;
    const times = { due: due.filter(isPart), sent: sent.filter(isPart), done: done.filter(isPart) };
    const answers = {
      status: status.filter(isPart),
      bodyBytes: bodyBytes.filter(isPart),
      retryAfterS: retryAfterS.filter(isPart),
    };
    return { operation, figures: figuresOf({ ...times, ...answers }) };
  });
}
