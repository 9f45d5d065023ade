import { expect, test } from "bun:test";
import { mulberry32 } from "../figures/statistics.ts";
import { changeIn } from "./gate.ts";
import { judge } from "./latency.ts";
import { exitCodeOf, meaningOf, type TierResult, tierLines } from "./tiers.ts";

const tier = (verdict: TierResult["verdict"]): TierResult => ({ tier: "cpu", verdict, why: ["a", "b"] });

test("one tier that fails keeps a change out, and one that nobody knows is no pass", () => {
  expect(exitCodeOf([tier("pass"), tier("inconclusive"), tier("fail")])).toBe(1);
  expect(exitCodeOf([tier("pass"), tier("inconclusive")])).toBe(2);
  expect(exitCodeOf([tier("pass"), tier("pass")])).toBe(0);
  expect((["slower", "faster", "equal", "inconclusive"] as const).map(meaningOf)).toEqual([
    "fail",
    "pass",
    "pass",
    "inconclusive",
  ]);
  expect(tierLines([tier("pass")])).toBe(`cpu      pass          a\n${" ".repeat(23)}b`);
});

test("an operation that sends another statement is named with what it was", () => {
  const line =
    "LogSet                             4           1          12          30         900         412   was 3 and 1";
  expect(changeIn(line)).toBe("LogSet: 4 statements and 1 flushes, was 3 and 1");
});

const host = { commit: "abc", at: "2026-11-26T00:00:00Z" } as Parameters<typeof judge>[0]["host"];
const runs = (seed: number, middleMs: number, spread: number, count = 6) => {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => middleMs * (1 + spread * (random() - 0.5)));
};

test("latency passes within a tenth of the baseline, fails beyond it, and is unknown where runs differ too much", () => {
  const baseline = { host, p50Ms: { LogSet: runs(1, 4, 0.04), GetWorkout: runs(2, 2, 0.04) } };
  const verdictOf = (logSet: number[], getWorkout: number[]) =>
    judge(baseline, { LogSet: logSet, GetWorkout: getWorkout }).verdict;
  expect(verdictOf(runs(3, 4.1, 0.04), runs(4, 2, 0.04))).toBe("pass");
  expect(verdictOf(runs(3, 5, 0.04), runs(4, 2, 0.04))).toBe("fail");
  expect(verdictOf(runs(3, 4.2, 0.9), runs(4, 2, 0.04))).toBe("inconclusive");
  expect(judge(baseline, { LogSet: runs(3, 4, 0.04), New: [1, 1] }).verdict).toBe("inconclusive");
});
