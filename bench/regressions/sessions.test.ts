import { expect, test } from "bun:test";
import { nextKind } from "./sessions.ts";
import { type Kind, type SessionSummary, type Sessions, summaryOf } from "./sessions-summary.ts";

test("planted faults are spread among A/A sessions, which come first to determine how much CPU to burn", () => {
  const wanted = { same: 4, planted: 2 };
  const sessions: { kind: Kind }[] = [];
  for (let kind = nextKind(sessions, wanted); kind !== undefined; kind = nextKind(sessions, wanted))
    sessions.push({ kind });
  expect(sessions.map(({ kind }) => kind)).toEqual([
    "same",
    "planted",
    "same",
    "same",
    "planted",
    "same",
  ]);
  expect(nextKind([{ kind: "same" }], { same: 1, planted: 0 })).toBeUndefined();
});

test("the summary counts false alarms and detected faults", () => {
  const session = (
    kind: Kind,
    verdict: SessionSummary["verdict"],
    low: number,
    high: number,
  ): SessionSummary => ({
    kind,
    verdict,
    seed: 1,
    burnUs: 0,
    logRatios: [0.01, 0.03],
    lastedS: 30,
    at: "2026-11-26T00:00:00Z",
    finding: { before: 500, after: 510, ratio: 1.02, low, high },
  });
  const sessions = [
    session("same", "equal", 0.99, 1.01),
    session("same", "faster", 0.9, 0.95),
    session("planted", "slower", 1.03, 1.06),
    session("planted", "inconclusive", 0.99, 1.06),
  ];
  const host = {
    commit: "abc",
    at: "2026-11-26",
    cpu: "Some CPU",
    cores: 8,
    kernel: "6",
    bun: "1",
  } as Sessions["host"];
  const settings = { operation: "GetWorkout", plantedShare: 0.05, zone: 0.02, mostPairs: 21 };
  const summary = summaryOf({ format: 1, host, ...settings, sessions });
  expect(summary).toContain("1 false alarms in 2 A/A sessions; 1 of 2 planted faults detected.");
  expect(summary).toContain("| A/A | 2 | 0 | 1 | 1 | 0 | 1 | 2 | 30 | 1.4 % |");
});
