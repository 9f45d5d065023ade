import { expect, test } from "bun:test";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { historyTable, readHistory } from "./history.ts";
import { pointsOfRun } from "./stored-results.ts";

/** Writes the part of a run.json that the history reads. */
function writeRun(
  results: string,
  day: number,
  serverCpuMs: number,
  { cpu = "Some CPU", doubts = [] as string[] } = {},
) {
  const at = new Date(Date.UTC(2026, 0, 1 + day)).toISOString();
  const host = { cpu, cores: 8, commit: `c${day}`, at };
  const attribution = { serverCpu: serverCpuMs, postgresCpu: 0.1 };
  const figures = { responseMs: { percentiles: { 0.5: 1.5 } } };
  const run = cpu === "Some CPU" ? `a${day}` : `b${day}`;
  const directory = join(results, `${at.slice(0, 10)}-${run}-http-native`);
  mkdirSync(directory);
  const result = {
    format: 1,
    host,
    profile: "native",
    results: [{ operation: "LogSet", figures, attribution, doubts }],
  };
  writeFileSync(join(directory, "run.json"), JSON.stringify(result));
}

test("a CPU step is attributed to its first commit, per host, ignoring runs with validity warnings", () => {
  const results = mkdtempSync(join(tmpdir(), "irontrack-history-"));
  try {
    for (let day = 0; day < 18; day++)
      writeRun(results, day, (day < 12 ? 0.4 : 0.44) + 0.001 * (day % 3));
    for (let day = 0; day < 18; day++)
      writeRun(results, day, 0.9 + 0.001 * (day % 4), { cpu: "Another" });
    writeRun(results, 40, 9, { doubts: ["requests were sent late"] });
    const series = readHistory(results);
    expect(
      series.map(({ host, suite, metric, points }) => [host, suite, metric, points.length]),
    ).toEqual([
      ["Another, 8 cores", "http native", "LogSet CPU µs", 18],
      ["Another, 8 cores", "http native", "LogSet p50 ms", 18],
      ["Some CPU, 8 cores", "http native", "LogSet CPU µs", 18],
      ["Some CPU, 8 cores", "http native", "LogSet p50 ms", 18],
    ]);
    expect(series[2]?.points[0]).toEqual({
      commit: "c0",
      at: "2026-01-01T00:00:00.000Z",
      value: 500,
    });
    expect(series.flatMap(({ changes }) => changes)).toHaveLength(1);
    expect(series[2]?.changes[0]).toMatchObject({ commit: "c12", index: 12 });
    expect(historyTable(series)).toContain("+8.0 % since c12, 2026-01-13");
  } finally {
    rmSync(results, { recursive: true });
  }
});

test("tables and sweeps are series too, and a table with validity warnings is ignored", () => {
  const host = { cpu: "Some CPU", cores: 8, commit: "abc", at: "2026-01-01T00:00:00Z" };
  const rows = [{ scenario: "sign", figures: { us: { mean: 12 } } }];
  const pointLines = (points: ReturnType<typeof pointsOfRun>) =>
    points
      .filter(({ value }) => value > 0)
      .map(({ suite, metric, value }) => `${suite}: ${metric} ${value}`);
  expect(pointLines(pointsOfRun("2026-01-01-abc-micro-native", { host, rows }))).toEqual([
    "micro native: sign us 12",
  ]);
  expect(pointsOfRun("2026-01-01-abc-micro-native", { host, rows, doubts: ["steal"] })).toEqual([]);
  const sweep = { host, operation: "LogSet", greatestRate: 400 };
  expect(pointLines(pointsOfRun("2026-01-01-abc-sweep-LogSet-hdd", sweep))).toEqual([
    "sweep LogSet hdd: LogSet max rate 400",
  ]);
});
