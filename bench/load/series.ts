import type { Recording } from "./recording.ts";

export type SecondFigures = {
  second: number;
  p50Ms: number;
  p99Ms: number | null;
  perSecond: number;
};

/** Figures of the requests due in each second; seconds without answers are left out. */
export function secondsOf(recording: Recording): SecondFigures[] {
  const bySecond = Map.groupBy(responses(recording), ({ atMs }) => Math.floor(atMs / 1000));
  return [...bySecond]
    .sort(([a], [b]) => a - b)
    .map(([second, answers]) => {
      const sorted = answers.map(({ ms }) => ms).sort((a, b) => a - b);
      const at = (share: number) => sorted[Math.ceil(share * sorted.length) - 1] as number;
      const p99Ms = sorted.length >= 100 ? at(0.99) : null;
      return { second, p50Ms: at(0.5), p99Ms, perSecond: sorted.length };
    });
}

/**
 * Response times in ms by share (0 to 1): enough points for a curve, closer together towards its
 * end.
 */
export function curveOf(recording: Recording): { share: number; ms: number }[] {
  const sorted = responses(recording)
    .map(({ ms }) => ms)
    .sort((a, b) => a - b);
  const points: { share: number; ms: number }[] = [];
  for (let beyond = 1; beyond * sorted.length >= 1; beyond *= 0.85) {
    const share = 1 - beyond;
    points.push({ share, ms: sorted[Math.max(Math.ceil(share * sorted.length) - 1, 0)] as number });
  }
  return points;
}

function responses({ due, done, status }: Recording): { atMs: number; ms: number }[] {
  return Array.from(due, (atMs, at) => ({
    atMs,
    ms: (done[at] as number) - atMs,
    status: status[at] as number,
  }))
    .filter(({ status: answered }) => answered >= 200 && answered < 400)
    .map(({ atMs, ms }) => ({ atMs, ms }));
}
