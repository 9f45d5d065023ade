import { expect, test } from "bun:test";
import { compareRequestPaths, type PathComparison } from "./path-comparison.ts";
import { pathComparisonMarkdown } from "./path-summary.ts";

const measured = (): Promise<PathComparison> =>
  compareRequestPaths({ pairs: 1, seconds: 0.2, seed: 1, onStep: () => {} });

test("CPU is measured in the components of a path only, and missing programs are named", async () => {
  const result = await measured();
  const { findings, notMeasured } = result;
  const componentsOf = (about: string, operation: string) => {
    const match = findings.find(
      (finding) => finding.about.startsWith(about) && finding.operation === operation,
    );
    return match && { a: match.a.piecesUs, b: match.b.piecesUs };
  };
  const direct = componentsOf("client to worker", "LogSet");
  expect([direct?.a.proxy, direct?.a.pooler]).toEqual([0, 0]);
  expect(direct?.a.workers).toBeGreaterThan(0);
  expect(direct?.b.postgres).toBeGreaterThan(0);
  const pooled = componentsOf("two workers: PgBouncer, unprepared", "GetWorkout");
  if (pooled) {
    for (const us of Object.values(pooled.a)) expect(us).toBeGreaterThan(0);
    expect(pooled.b.pooler).toBe(0);
    expect(pooled.b.proxy).toBeGreaterThan(0);
  }
  const table = pathComparisonMarkdown(result);
  for (const { about } of findings) expect(table).toContain(`| ${about} |`);
  for (const { about, why } of notMeasured)
    expect(table).toContain(`| ${about} |  | not measured here | ${why} |`);
}, 600_000);
