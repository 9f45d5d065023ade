import { expect, test } from "bun:test";
import { git } from "../testbed/checkout.ts";
import { scenariosOf, withCheckouts } from "./ab.ts";
import { runSession } from "./session.ts";

const SETTINGS = {
  mode: "interleaved",
  zone: 0.02,
  mostPairs: 15,
  seed: 1,
  runMs: 500,
  rate: 100,
} as const;

test("a planted CPU fault is found to be slower, and no worktree is left behind", async () => {
  const burning = (us: number) => ["bench/servers/planted-server.ts", "burn", String(us)];
  const verdict = await withCheckouts(["HEAD", "HEAD"], async ([before, after]) => {
    expect(git("worktree", "list")).toContain(after.root);
    const contenders = {
      before: { checkout: before, command: burning(0) },
      after: { checkout: after, command: burning(150) },
    };
    return (
      await runSession({ ...SETTINGS, ...contenders, scenarios: scenariosOf(["GetWorkout"]) })
    ).verdict;
  });
  expect(verdict).toBe("slower");
  expect(git("worktree", "list")).not.toContain("irontrack-versions");
}, 300_000);

test("sequential mode also measures latency, and restores the data after writes", async () => {
  const { findings, pairs } = await withCheckouts([".", "."], ([before, after]) =>
    runSession({
      ...SETTINGS,
      mode: "sequential",
      mostPairs: 9,
      runMs: 1500,
      before: { checkout: before },
      after: { checkout: after },
      scenarios: scenariosOf(["LogSet", "Ping"]),
    }),
  );
  expect(pairs).toHaveLength(9);
  expect(findings.map(({ operation, metric }) => `${operation} ${metric}`)).toEqual(
    ["cpuUs", "p50Ms", "p90Ms"].flatMap((metric) =>
      ["LogSet", "Ping", "all"].map((operation) => `${operation} ${metric}`),
    ),
  );
  for (const { ratio, low, high } of findings) expect(low <= ratio && ratio <= high).toBe(true);
}, 300_000);
