export type Verdict = "slower" | "faster" | "equal" | "inconclusive";

/** What is decided about one series. */
export type Decision = Series & { verdict: Verdict };

/** Log ratios of pairs, after / before. */
export type Series = { name: string; logRatios: readonly number[] };

/**
 * The only numbers of pairs at which anybody looks; a session ends at one of them. Odd, so that the
 * median is a pair's.
 */
export const INTERIM_ANALYSES = [9, 15, 21, 27, 33];

/**
 * One-sided error allowed at a look: little at all but the last, after Haybittle (1971) and Peto et
 * al. (Br. J. Cancer 34, 1976), so that having looked before costs almost nothing in the end.
 * Whatever the distribution, a true median on the edge of the zone is called beyond it in at most 2
 * of 100 sessions, all looks together; `decision.test.ts` adds it up.
 */
const EARLY_ERROR = 0.004;
const LAST_ERROR = 0.0175;

/**
 * Decides whether the true median ratio lies beyond 1 ± `zone`, for each series, all with as many
 * pairs. Beyond: by the sign test against the edge of the zone, which is exact for a median of any
 * distribution, where the percentile bootstrap of so few pairs errs up to four times as often as it
 * says (ADR 0015); of several series, the least likely first, after Holm (1979). Equal: both edges
 * are excluded, which needs no correction, since all must be.
 */
export function decide(series: readonly Series[], zone: number, isLast: boolean): Decision[] {
  const error = isLast ? LAST_ERROR : EARLY_ERROR;
  const edge = Math.log1p(zone);
  const slower = holm(
    series.map(({ logRatios }) => signTest(logRatios, edge)),
    error,
  );
  const faster = holm(
    series.map(({ logRatios }) => signTest(negated(logRatios), edge)),
    error,
  );
  return series.map(({ name, logRatios }, at) => {
    const isWithin =
      signTest(logRatios, -edge) <= error && signTest(negated(logRatios), -edge) <= error;
    const beyond = slower[at] ? "slower" : faster[at] ? "faster" : undefined;
    return { name, logRatios, verdict: beyond ?? (isWithin ? "equal" : "inconclusive") };
  });
}

/** One slower is enough; equal and faster are said of all only when all are decided. */
export function overall(decisions: readonly { verdict: Verdict }[]): Verdict {
  const has = (verdict: Verdict) => decisions.some((decision) => decision.verdict === verdict);
  if (has("slower")) return "slower";
  if (has("inconclusive") || decisions.length === 0) return "inconclusive";
  return has("faster") ? "faster" : "equal";
}

/**
 * How likely so few values above `edge` would be missing, were it the true median: one-sided p of
 * the sign test.
 */
export function signTest(values: readonly number[], edge: number): number {
  return binomialTail(values.length, values.filter((value) => value <= edge).length);
}

/** The probability that of `n` fair coins at most `k` show heads. */
export function binomialTail(n: number, k: number): number {
  let term = 0.5 ** n;
  let sum = term;
  for (let heads = 1; heads <= k; heads++) {
    term *= (n - heads + 1) / heads;
    sum += term;
  }
  return Math.min(sum, 1);
}

/** Which of the hypotheses fall, with at most `error` for any that is true to fall. */
function holm(ps: readonly number[], error: number): boolean[] {
  const order = ps.map((p, at) => ({ p, at })).sort((a, b) => a.p - b.p);
  const firstToStand = order.findIndex(({ p }, rank) => p > error / (ps.length - rank));
  const fallen = order.slice(0, firstToStand === -1 ? ps.length : firstToStand).map(({ at }) => at);
  return ps.map((_, at) => fallen.includes(at));
}

const negated = (values: readonly number[]) => values.map((value) => -value);

/**
 * Of several operations also their geometric mean, pair by pair: what is a little slower everywhere
 * shows there.
 */
export function withMean(series: readonly Series[]): readonly Series[] {
  if (series.length < 2) return series;
  const pairs = series[0]?.logRatios.length ?? 0;
  const mean = Array.from(
    { length: pairs },
    (_, pair) =>
      series.reduce((sum, { logRatios }) => sum + (logRatios[pair] as number), 0) / series.length,
  );
  return [...series, { name: "all", logRatios: mean }];
}
