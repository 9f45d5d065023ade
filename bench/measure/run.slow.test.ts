import { afterAll, beforeAll, expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { generate } from "../load/generator.ts";
import { fromBytes } from "../load/run.ts";

let directory: string;
beforeAll(() => {
  directory = mkdtempSync(join(tmpdir(), "irontrack-runs-"));
});
afterAll(() => rmSync(directory, { recursive: true }));

/** Runs a bench command. Exit code 2 means that the machine was disturbed; the result is written. */
function bench(name: string, command: string) {
  const out = join(directory, name);
  const args = [join(import.meta.dir, "../cli.ts"), ...command.split(" "), "--out", out];
  const { status, stderr } = spawnSync(process.execPath, args, { encoding: "utf8" });
  if (status !== 0 && status !== 2)
    throw new Error(`bun bench ${command} exited with ${status}: ${stderr}`);
  return { out, result: JSON.parse(readFileSync(join(out, "run.json"), "utf8")) };
}

test("a warm-up ends when response times have settled, and lasts to its maximum while they rise", async () => {
  const unix = join(directory, "warm.sock");
  let answers = 0;
  let riseMs = 0;
  const server = Bun.serve({
    unix,
    fetch: () => Bun.sleep(++answers * riseMs).then(() => new Response("OK")),
  });
  const warmUp = (durationMs: number) => {
    const load = { model: "constant", rate: 60, durationMs } as const;
    const requests = [Buffer.from("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n")];
    return generate({ target: { unix }, requests, connections: 64, load, settle: { minS: 5 } });
  };
  // Sixty seconds: even a busy machine has five quiet seconds earlier.
  expect((await warmUp(60_000)).due.length).toBeLessThan(3600);
  [answers, riseMs] = [0, 1];
  expect((await warmUp(7000)).due).toHaveLength(420);
  await server.stop(true);
});

test("a run writes its summary, page, histograms and raw times", () => {
  const command = "run http/LogSet --rate 40 --seconds 2 --runs 3 --warm-up 5 --raw";
  const { out, result } = bench("http", command);
  const [logSet] = result.results;
  expect(logSet.runs).toHaveLength(3);
  expect(logSet.figures.failures).toBe(0);
  // 40 a second for 3 runs of 2 seconds, ± six standard deviations of Poisson arrivals.
  expect(logSet.figures.requests).toBeGreaterThan(150);
  expect(logSet.figures.requests).toBeLessThan(335);
  const { low, mean, high } = logSet.intervals.meanMs;
  expect(low < mean && mean < high).toBe(true);
  // Each set is flushed; concurrent sets may share a flush.
  expect(logSet.costs.flushes).toBeGreaterThan(0.2);
  const recordings = [1, 2, 3].map((run) =>
    fromBytes(readFileSync(join(out, `raw/LogSet-${run}.bin`))),
  );
  const due = recordings.map((recording) => recording.due.length);
  expect(due.reduce((sum, count) => sum + count, 0)).toBe(logSet.figures.requests);
  expect(recordings.every((recording) => recording.status.every((status) => status === 201))).toBe(
    true,
  );
  for (const file of ["summary.md", "samples.json", "report.html", "responses.hlog"])
    expect(existsSync(join(out, file))).toBe(true);
});

test.each([
  ["proxy,pooler", ["proxy", "pooler"]],
  ["pooler", ["pooler"]],
])("only the components in the request path (%s) are measured", (through, expected) => {
  const command = `run LogSet --through ${through} --rate 30 --seconds 2 --runs 1 --warm-up 0`;
  const { result } = bench(`through-${through}`, command);
  const [logSet] = result.results;
  expect([result.through, logSet.figures.failures]).toEqual([expected, 0]);
  for (const component of ["proxy", "pooler"] as const) {
    if (expected.includes(component)) expect(logSet.attribution[component]).toBeGreaterThan(0);
    else expect(logSet.attribution[component]).toBe(null);
  }
});

test("a closed loop sends each request once, and offers no rate", () => {
  const command = "run FinishWorkout --arrivals closed --rate 50 --seconds 2 --runs 2 --warm-up 0";
  const { result } = bench("closed", command);
  expect(result.results[0].figures.failures).toBe(0);
  expect(result.results[0].doubts.join()).not.toContain("rate");
});

test("a mix has figures of each operation, and can be replayed", () => {
  const mixed = bench("mix", "run mix --rate 60 --seconds 3 --runs 1 --warm-up 5 --raw");
  const [mix] = mixed.result.results;
  expect(mix.figures.failures).toBe(0);
  const parts: { operation: string; figures: { requests: number } }[] = mix.parts;
  expect(parts.reduce((sum, { figures }) => sum + figures.requests, 0)).toBe(mix.figures.requests);
  const trace = join(mixed.out, "raw/usual.ndjson");
  const replayed = bench("replay", `run mix --replay ${trace} --runs 1 --warm-up 0 --raw`);
  const lines = (file: string) =>
    readFileSync(file, "utf8")
      .trim()
      .split("\n")
      .map((line) => JSON.parse(line));
  const expectedLines = lines(trace).filter(({ dueMs }) => dueMs >= 1000);
  expect(replayed.result.results[0].figures).toMatchObject({
    requests: expectedLines.length,
    failures: 0,
  });
  expect(
    lines(join(replayed.out, "raw/replay.ndjson")).map(({ operation, person }) => [
      operation,
      person,
    ]),
  ).toEqual(expectedLines.map(({ operation, person }) => [operation, person]));
});

test.each([
  ["db", "findDocument", ["meanUs", "p50Us", "postgresCpuUs", "flushes", "perSecondOfEight"]],
  ["micro", "verify-known", ["meanUs", "p50Us", "p99Us"]],
  ["io", "cold-read", ["readMs", "readsPerSecond", "coldReadsPerRead"]],
  ["io", "checkpoint", ["commitMs", "commitDuringMs", "checkpointMs"]],
])("%s/%s has figures with intervals", (suite, scenario, figures) => {
  const { result } = bench(
    `${suite}-${scenario}`,
    `run ${suite}/${scenario} --runs 2 --seconds 0.3`,
  );
  const [row] = result.rows;
  expect(row.scenario).toBe(scenario);
  for (const figure of figures) {
    expect(row.figures[figure].mean).toBeGreaterThanOrEqual(0);
    expect(row.figures[figure].low).toBeLessThanOrEqual(row.figures[figure].mean);
  }
});

test("an emulated disk makes a cold read take a seek and half a rotation, and a commit a rotation", () => {
  const { result } = bench("io-hdd", "run io cold-read commit --profile hdd --runs 2 --seconds 1");
  const figuresOf = (name: string) =>
    result.rows.find(({ scenario }: { scenario: string }) => scenario === name).figures;
  expect(figuresOf("commit").flushesPerSecond.mean).toBeLessThanOrEqual(126);
  expect(figuresOf("cold-read").readsPerSecond.mean).toBeLessThanOrEqual(126);
  expect(figuresOf("cold-read").coldReadsPerRead.mean).toBeGreaterThan(0.5);
});

test("a sweep ends between a rate that meets the objective and one that misses it", () => {
  const command = "sweep http/Ping --slo mean=500ms --from 100 --to 200 --seconds 1";
  const { result } = bench("sweep", command);
  expect(result.points.length).toBeGreaterThanOrEqual(2);
  const rates = result.points.map(({ rate }: { rate: number }) => rate);
  expect(rates).toEqual(rates.toSorted((a: number, b: number) => a - b));
  expect(result.greatestRate).toBe(200);
});
