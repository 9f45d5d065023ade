import { expect, test } from "bun:test";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { mulberry32 } from "../figures/statistics.ts";
import { changeIn } from "./gate.ts";
import { gateLatency, judge, type Run, writeBaseline } from "./latency.ts";
import { exitCodeOf, GATED, gateVerdictOf, type TierResult, tierLines } from "./tiers.ts";

const tier = (verdict: TierResult["verdict"]): TierResult => ({
  tier: "cpu",
  verdict,
  why: ["a", "b"],
});

test("a failing tier fails the gate, and an inconclusive tier does not pass it", () => {
  expect(exitCodeOf([tier("pass"), tier("inconclusive"), tier("fail")])).toBe(1);
  expect(exitCodeOf([tier("pass"), tier("inconclusive")])).toBe(2);
  expect(exitCodeOf([tier("pass"), tier("pass")])).toBe(0);
  expect((["slower", "faster", "equal", "inconclusive"] as const).map(gateVerdictOf)).toEqual([
    "fail",
    "pass",
    "pass",
    "inconclusive",
  ]);
  expect(tierLines([tier("pass")])).toBe(`cpu      pass          a\n${" ".repeat(23)}b`);
});

test("a change in an operation's counts is reported with the previous counts", () => {
  const line =
    "LogSet                             4           1          12          30         900         412   was 3 and 1";
  expect(changeIn(line)).toBe("LogSet: 4 statements and 1 flushes, was 3 and 1");
});

const host = { commit: "abc", at: "2026-11-26T00:00:00Z" } as Parameters<typeof judge>[0]["host"];
const runs = (seed: number, middleMs: number, spread: number, count = 6) => {
  const random = mulberry32(seed);
  return Array.from({ length: count }, () => middleMs * (1 + spread * (random() - 0.5)));
};

test("latency passes within 10 % of the baseline, fails beyond it, and is inconclusive when runs vary too much", () => {
  const baseline = { host, p50Ms: { LogSet: runs(1, 4, 0.04), GetWorkout: runs(2, 2, 0.04) } };
  const verdictOf = (logSet: number[], getWorkout: number[]) =>
    judge(baseline, { LogSet: logSet, GetWorkout: getWorkout }).verdict;
  expect(verdictOf(runs(3, 4.1, 0.04), runs(4, 2, 0.04))).toBe("pass");
  expect(verdictOf(runs(3, 5, 0.04), runs(4, 2, 0.04))).toBe("fail");
  expect(verdictOf(runs(3, 4.2, 0.9), runs(4, 2, 0.04))).toBe("inconclusive");
  expect(judge(baseline, { LogSet: runs(3, 4, 0.04), New: [1, 1] }).verdict).toBe("inconclusive");
});

/** Simulates `bench run`: three runs in which every operation takes about `ms`. */
const simulatedRun = (ms: number, doubts: string[] = []) => {
  let seed = 0;
  return async (): Promise<Run> => ({
    results: GATED.map((operation) => ({
      operation,
      figures: { responseMs: { percentiles: { 0.5: ms } } },
      runs: runs(++seed, ms, 0.02, 3).map((p50Ms) => ({ p50Ms })),
      doubts,
    })),
  });
};

test("a host without a baseline is inconclusive until --write-baseline has measured one", async () => {
  const baselines = mkdtempSync(join(tmpdir(), "irontrack-baselines-"));
  const gate = (ms: number) => gateLatency(() => {}, { baselines, runOnce: simulatedRun(ms) });
  const withoutBaseline = await gate(4);
  expect([withoutBaseline.verdict, withoutBaseline.why.join()]).toEqual([
    "inconclusive",
    expect.stringContaining("gate --write-baseline"),
  ]);
  const invalid = await writeBaseline(() => {}, {
    baselines,
    runOnce: simulatedRun(4, ["requests were sent late"]),
  });
  expect(invalid).toEqual({
    doubts: GATED.map((operation) => `run 1, ${operation}: requests were sent late`),
  });
  expect((await gate(4)).verdict).toBe("inconclusive");
  const written = await writeBaseline(() => {}, { baselines, runOnce: simulatedRun(4) });
  if (!("file" in written)) throw new Error("No baseline was written");
  expect([(await gate(4.1)).verdict, (await gate(5)).verdict]).toEqual(["pass", "fail"]);
  const baseline = JSON.parse(readFileSync(written.file, "utf8"));
  writeFileSync(written.file, JSON.stringify({ ...baseline, rate: baseline.rate / 2 }));
  expect(await gate(4)).toMatchObject({
    verdict: "inconclusive",
    why: [expect.stringContaining("a request rate of 50; now 100")],
  });
  rmSync(baselines, { recursive: true });
});
