import { expect, test } from "bun:test";
import { mulberry32 } from "../figures/statistics.ts";
import {
  binomialTail,
  decide,
  INTERIM_ANALYSES,
  overall,
  signTest,
  type Verdict,
  withMean,
} from "./decision.ts";

const ZONE = 0.02;
const EDGE = Math.log1p(ZONE);

/** Box and Muller. */
function normals(seed: number): () => number {
  const random = mulberry32(seed);
  return () => Math.sqrt(-2 * Math.log(1 - random())) * Math.cos(2 * Math.PI * random());
}

/** Whole sessions as `ab` runs them, on ratios that `next` draws: what each ended with. */
function sessions(count: number, mostPairs: number, next: () => number): Verdict[] {
  return Array.from({ length: count }, () => {
    const logRatios: number[] = [];
    for (const look of INTERIM_ANALYSES) {
      while (logRatios.length < look) logRatios.push(next());
      const verdict = overall(decide([{ name: "x", logRatios }], ZONE, look === mostPairs));
      if (verdict !== "inconclusive" || look === mostPairs) return verdict;
    }
    throw new Error("no look is the last");
  });
}

const share = (verdicts: Verdict[], wanted: Verdict) =>
  verdicts.filter((verdict) => verdict === wanted).length / verdicts.length;

test("looking several times errs in at most 2 of 100 sessions on either side, whatever the distribution", () => {
  for (const most of INTERIM_ANALYSES) {
    let error = 0;
    for (const look of INTERIM_ANALYSES.filter((pairs) => pairs <= most)) {
      // As many pairs on the wrong side of the edge as are still called beyond it.
      const isCalled = (wrong: number) => {
        const logRatios = Array.from({ length: look }, (_, at) => (at < wrong ? 0 : 1));
        return decide([{ name: "x", logRatios }], ZONE, look === most)[0]?.verdict === "slower";
      };
      let wrong = -1;
      while (isCalled(wrong + 1)) wrong++;
      if (wrong >= 0) error += binomialTail(look, wrong);
    }
    expect(error).toBeLessThan(0.02);
  }
});

test("a true ratio on the edge of the zone is seldom called slower or equal, with noise of any shape", () => {
  const normal = normals(3);
  const random = mulberry32(5);
  const shapes = {
    normal: () => 0.02 * normal(),
    // Two pairs of ten are disturbed, up to a fifth either way.
    heavy: () => (random() < 0.2 ? 0.4 * (random() - 0.5) : 0.01 * normal()),
    // Its median is zero, its mean is not.
    skewed: () => -0.02 * (Math.log(random()) + Math.LN2),
  };
  for (const noise of Object.values(shapes)) {
    const ended = sessions(1500, 21, () => EDGE + noise());
    expect(share(ended, "slower")).toBeLessThan(0.03);
    expect(share(ended, "equal")).toBeLessThan(0.03);
    expect(share(ended, "faster")).toBe(0);
  }
});

test("the same code is never called slower or faster, and mostly equal", () => {
  const normal = normals(7);
  const ended = sessions(1000, 21, () => 0.02 * normal());
  expect(share(ended, "slower") + share(ended, "faster")).toBeLessThan(0.002);
  expect(share(ended, "equal")).toBeGreaterThan(0.7);
});

test("five percent more CPU are found in more than 95 of 100 sessions at the spread that interleaved runs have", () => {
  const normal = normals(11);
  const ended = sessions(1000, 21, () => Math.log(1.05) + 0.02 * normal());
  expect(share(ended, "slower")).toBeGreaterThan(0.95);
});

test("of ten operations that are the same, one by chance is not called slower; of ten that are not, the slow one is", () => {
  const normal = normals(13);
  let alarms = 0;
  let found = 0;
  for (let session = 0; session < 300; session++) {
    const series = Array.from({ length: 10 }, (_, at) => ({
      name: `operation ${at}`,
      logRatios: Array.from({ length: 21 }, () => (at === 9 ? 0 : EDGE) + 0.02 * normal()),
    }));
    if (decide(series, ZONE, true).some(({ verdict }) => verdict === "slower")) alarms++;
    const slow = series.map((one, at) => ({
      ...one,
      logRatios: one.logRatios.map(
        (ratio) => ratio - (at === 9 ? 0 : EDGE) + (at === 0 ? 0.06 : 0),
      ),
    }));
    if (decide(slow, ZONE, true)[0]?.verdict === "slower") found++;
  }
  expect(alarms / 300).toBeLessThan(0.03);
  expect(found / 300).toBeGreaterThan(0.9);
});

test("three percent on each of ten operations show in their mean, before they show in any", () => {
  const normal = normals(17);
  const series = Array.from({ length: 10 }, (_, at) => ({
    name: `operation ${at}`,
    logRatios: Array.from({ length: 21 }, () => 0.03 + 0.03 * normal()),
  }));
  const decided = decide(withMean(series), ZONE, true);
  expect(decided.at(-1)).toMatchObject({ name: "all", verdict: "slower" });
  expect(overall(decided)).toBe("slower");
});

test("one that is slower outweighs the undecided, which outweigh the equal", () => {
  const of = (...verdicts: Verdict[]) => overall(verdicts.map((verdict) => ({ verdict })));
  expect(of("equal", "inconclusive", "slower")).toBe("slower");
  expect(of("equal", "inconclusive", "faster")).toBe("inconclusive");
  expect(of("equal", "faster")).toBe("faster");
  expect(of()).toBe("inconclusive");
});

test("the sign test counts what its tables do", () => {
  // Siegel 1956, table D: n = 15, x = 3.
  expect(signTest([-1, -1, -1, ...Array.from({ length: 12 }, () => 1)], 0)).toBeCloseTo(0.018, 3);
  expect(binomialTail(9, 9)).toBe(1);
});
