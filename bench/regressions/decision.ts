export type Verdict = "slower" | "faster" | "equal" | "inconclusive";

export type Decision = Series & { verdict: Verdict };

/** The log ratios after / before of the pairs. */
export type Series = { name: string; logRatios: readonly number[] };

/**
 * The numbers of pairs at which a session is analysed and may end. They are odd, so that the median
 * is the value of a pair.
 */
export const INTERIM_ANALYSES = [9, 15, 21, 27, 33];

/**
 * One-sided significance levels of the interim analyses and the final one, after Haybittle (1971)
 * and Peto et al. (Br. J. Cancer 34, 1976): strict interim levels cost the final analysis almost no
 * power. For any distribution, a true median at the edge of the zone is called beyond it in at most
 * 2 of 100 sessions over all analyses; `decision.test.ts` computes the sum.
 */
const INTERIM_ALPHA = 0.004;
const FINAL_ALPHA = 0.0175;

/**
 * Decides for each series whether the true median ratio is beyond 1 ± `zone`. All series have the
 * same number of pairs. "slower" and "faster" come from the sign test against the edge of the zone,
 * corrected for several series after Holm (1979). The sign test is exact for the median of any
 * distribution, whereas the percentile bootstrap of so few pairs errs up to four times its nominal
 * rate (ADR 0015). "equal" requires that both edges are rejected, which needs no correction.
 */
export function decide(series: readonly Series[], zone: number, isLast: boolean): Decision[] {
  const alpha = isLast ? FINAL_ALPHA : INTERIM_ALPHA;
  const edge = Math.log1p(zone);
  const slower = holm(
    series.map(({ logRatios }) => signTest(logRatios, edge)),
    alpha,
  );
  const faster = holm(
    series.map(({ logRatios }) => signTest(negated(logRatios), edge)),
    alpha,
  );
  return series.map(({ name, logRatios }, n) => {
    const isWithin =
      signTest(logRatios, -edge) <= alpha && signTest(negated(logRatios), -edge) <= alpha;
    const beyond = slower[n] ? "slower" : faster[n] ? "faster" : undefined;
    return { name, logRatios, verdict: beyond ?? (isWithin ? "equal" : "inconclusive") };
  });
}

/** "slower" if any is slower; "equal" and "faster" only if every decision is conclusive. */
export function overall(decisions: readonly { verdict: Verdict }[]): Verdict {
  const has = (verdict: Verdict) => decisions.some((decision) => decision.verdict === verdict);
  if (has("slower")) return "slower";
  if (has("inconclusive") || decisions.length === 0) return "inconclusive";
  return has("faster") ? "faster" : "equal";
}

/** The one-sided p of the sign test for a median above `edge`. */
export function signTest(values: readonly number[], edge: number): number {
  return binomialTail(values.length, values.filter((value) => value <= edge).length);
}

/** The probability of at most `k` heads in `n` tosses of a fair coin. */
export function binomialTail(n: number, k: number): number {
  let term = 0.5 ** n;
  let sum = term;
  for (let heads = 1; heads <= k; heads++) {
    term *= (n - heads + 1) / heads;
    sum += term;
  }
  return Math.min(sum, 1);
}

/** Which hypotheses are rejected at a family-wise error rate of `alpha`. */
function holm(ps: readonly number[], alpha: number): boolean[] {
  const sorted = ps.map((p, index) => ({ p, index })).sort((a, b) => a.p - b.p);
  const retained = sorted.findIndex(({ p }, rank) => p > alpha / (ps.length - rank));
  const rejected = sorted.slice(0, retained === -1 ? ps.length : retained);
  return ps.map((_, n) => rejected.some(({ index }) => index === n));
}

const negated = (values: readonly number[]) => values.map((value) => -value);

/**
 * Adds the geometric mean of all series, pair by pair, which reveals a small slowdown of every
 * operation. A single series is returned as it is.
 */
export function withGeometricMean(series: readonly Series[]): readonly Series[] {
  if (series.length < 2) return series;
  const pairs = series[0]?.logRatios.length ?? 0;
  const mean = Array.from(
    { length: pairs },
    (_, pair) =>
      series.reduce((sum, { logRatios }) => sum + (logRatios[pair] as number), 0) / series.length,
  );
  return [...series, { name: "all", logRatios: mean }];
}
