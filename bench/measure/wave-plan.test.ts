import { expect, test } from "bun:test";
import { PRELUDE_MS } from "../load/runs.ts";
import type { LoadRequest, LoadScenario } from "../suites/scenario.ts";
import type { Fixtures } from "../testbed/fixtures.ts";
import { DEFAULT_RUN, loadPlanOf } from "./load-plan.ts";

const requestOf = (operation: string): LoadRequest => ({ operation, method: "GET", path: "/" });
const storm: LoadScenario = {
  operation: "storm",
  request: () => requestOf("Read"),
  wave: { people: 40, fromMs: 2000, withinMs: 500, request: () => requestOf("SignIn") },
};
const options = { ...DEFAULT_RUN, rate: 50 };

test("in each run the wave arrives within its time, and other requests arrive throughout", async () => {
  const { plan, request, requests, people } = loadPlanOf(storm, options);
  expect(people).toBe(40);
  for (let run = 0; run < plan.runs; run++) {
    const load = plan.load(PRELUDE_MS + plan.seconds * 1000, run + 1);
    if (load.model !== "replay") throw new Error(`A wave is no ${load.model}`);
    expect(load.dueMs).toEqual(load.dueMs.toSorted((a, b) => a - b));
    const first = plan.startOf?.(run, 0) ?? Number.NaN;
    const operations = await Promise.all(
      load.dueMs.map((_, index) => request({} as Fixtures, first + index)),
    );
    const dueOf = (operation: string) =>
      load.dueMs.filter((_, index) => operations[index]?.operation === operation);
    const signIns = dueOf("SignIn");
    expect(signIns).toHaveLength(40);
    expect(signIns.every((ms) => ms >= PRELUDE_MS + 2000 && ms < PRELUDE_MS + 2500)).toBe(true);
    const reads = dueOf("Read");
    // Poisson arrivals at 50 a second over 7 seconds, ± six standard deviations.
    expect(Math.abs(reads.length - 350)).toBeLessThan(6 * Math.sqrt(350));
    expect(reads.filter((ms) => ms >= PRELUDE_MS + 2500).length).toBeGreaterThan(50);
    expect(first + load.dueMs.length).toBe(
      run + 1 < plan.runs ? (plan.startOf?.(run + 1, 0) ?? 0) : requests,
    );
  }
});

test("the warm-up has no wave, and the size of the wave is an option", async () => {
  const { plan, request, people, offered } = loadPlanOf(storm, { ...options, wave: 300 });
  expect([people, offered]).toEqual([300, 50 + 300 / plan.seconds]);
  const first = plan.startOf?.(0, 0) ?? 0;
  expect(first).toBeGreaterThan(50 * plan.warmUpS.max);
  const warmUp = await Promise.all(
    Array.from({ length: first }, (_, n) => request({} as Fixtures, n)),
  );
  expect(new Set(warmUp.map(({ operation }) => operation))).toEqual(new Set(["Read"]));
});
