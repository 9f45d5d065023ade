import { expect, test } from "bun:test";
import { mulberry32 } from "../figures/statistics.ts";
import {
  binomialTail,
  decide,
  INTERIM_ANALYSES,
  overall,
  signTest,
  type Verdict,
  withGeometricMean,
} from "./decision.ts";

const ZONE = 0.02;
const EDGE = Math.log1p(ZONE);

/** Standard normal numbers (Box and Muller). */
function normals(seed: number): () => number {
  const random = mulberry32(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** The verdicts of simulated sessions whose log ratios come from `next`. */
function sessions(count: number, mostPairs: number, next: () => number): Verdict[] {
  return Array.from({ length: count }, () => {
    const logRatios: number[] = [];
    for (const pairs of INTERIM_ANALYSES) {
      while (logRatios.length < pairs) logRatios.push(next());
      const verdict = overall(decide([{ name: "x", logRatios }], ZONE, pairs === mostPairs));
      if (verdict !== "inconclusive" || pairs === mostPairs) return verdict;
    }
    throw new Error(`${mostPairs} is not an interim analysis`);
  });
}

const share = (verdicts: Verdict[], wanted: Verdict) =>
  verdicts.filter((verdict) => verdict === wanted).length / verdicts.length;

test("interim analyses err in at most 2 of 100 sessions on either side, for any distribution", () => {
  for (const maxPairs of INTERIM_ANALYSES) {
    let error = 0;
    for (const pairs of INTERIM_ANALYSES.filter((count) => count <= maxPairs)) {
      const isCalledSlower = (below: number) => {
        const logRatios = Array.from({ length: pairs }, (_, n) => (n < below ? 0 : 1));
        const [decision] = decide([{ name: "x", logRatios }], ZONE, pairs === maxPairs);
        return decision?.verdict === "slower";
      };
      // The largest number of pairs below the edge with which the verdict is still "slower".
      let below = -1;
      while (isCalledSlower(below + 1)) below++;
      if (below >= 0) error += binomialTail(pairs, below);
    }
    expect(error).toBeLessThan(0.02);
  }
});

test("a true ratio at the edge of the zone is rarely called slower or equal, for any noise", () => {
  const normal = normals(3);
  const random = mulberry32(5);
  const shapes = {
    normal: () => 0.02 * normal(),
    // One pair in five is disturbed by up to 20 %.
    heavy: () => (random() < 0.2 ? 0.4 * (random() - 0.5) : 0.01 * normal()),
    // The median is zero; the mean is not.
    skewed: () => -0.02 * (Math.log(random()) + Math.LN2),
  };
  for (const noise of Object.values(shapes)) {
    const verdicts = sessions(1500, 21, () => EDGE + noise());
    expect(share(verdicts, "slower")).toBeLessThan(0.03);
    expect(share(verdicts, "equal")).toBeLessThan(0.03);
    expect(share(verdicts, "faster")).toBe(0);
  }
});

test("equal versions are called equal in most sessions and almost never slower or faster", () => {
  const normal = normals(7);
  const verdicts = sessions(1000, 21, () => 0.02 * normal());
  expect(share(verdicts, "slower") + share(verdicts, "faster")).toBeLessThan(0.002);
  expect(share(verdicts, "equal")).toBeGreaterThan(0.7);
});

test("a 5 % CPU increase is detected in more than 95 of 100 sessions at the spread of interleaved runs", () => {
  const normal = normals(11);
  const verdicts = sessions(1000, 21, () => Math.log(1.05) + 0.02 * normal());
  expect(share(verdicts, "slower")).toBeGreaterThan(0.95);
});

test("with ten operations, false alarms stay rare and the one slow operation is found", () => {
  const normal = normals(13);
  let alarms = 0;
  let detections = 0;
  for (let session = 0; session < 300; session++) {
    const series = Array.from({ length: 10 }, (_, n) => ({
      name: `operation ${n}`,
      logRatios: Array.from({ length: 21 }, () => (n === 9 ? 0 : EDGE) + 0.02 * normal()),
    }));
    if (decide(series, ZONE, true).some(({ verdict }) => verdict === "slower")) alarms++;
    const oneSlow = series.map(({ name, logRatios }, n) => ({
      name,
      logRatios: logRatios.map((ratio) => ratio - (n === 9 ? 0 : EDGE) + (n === 0 ? 0.06 : 0)),
    }));
    if (decide(oneSlow, ZONE, true)[0]?.verdict === "slower") detections++;
  }
  expect(alarms / 300).toBeLessThan(0.03);
  expect(detections / 300).toBeGreaterThan(0.9);
});

test("a 3 % slowdown of ten operations shows in their mean even if none is conclusive", () => {
  const normal = normals(17);
  const series = Array.from({ length: 10 }, (_, n) => ({
    name: `operation ${n}`,
    logRatios: Array.from({ length: 21 }, () => 0.03 + 0.03 * normal()),
  }));
  const decisions = decide(withGeometricMean(series), ZONE, true);
  expect(decisions.at(-1)).toMatchObject({ name: "all", verdict: "slower" });
  expect(overall(decisions)).toBe("slower");
});

test("slower outweighs inconclusive, which outweighs equal and faster", () => {
  const overallOf = (...verdicts: Verdict[]) => overall(verdicts.map((verdict) => ({ verdict })));
  expect(overallOf("equal", "inconclusive", "slower")).toBe("slower");
  expect(overallOf("equal", "inconclusive", "faster")).toBe("inconclusive");
  expect(overallOf("equal", "faster")).toBe("faster");
  expect(overallOf()).toBe("inconclusive");
});

test("the sign test gives the tabulated p", () => {
  // Siegel 1956, table D: n = 15, x = 3.
  expect(signTest([-1, -1, -1, ...Array.from({ length: 12 }, () => 1)], 0)).toBeCloseTo(0.018, 3);
  expect(binomialTail(9, 9)).toBe(1);
});
