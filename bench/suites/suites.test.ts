import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { Fixtures } from "../testbed/fixtures.ts";
import { MIX_SCENARIOS, USUAL_MIX } from "./mix.ts";
import { chooseScenarios, SUITES } from "./suites.ts";

const choose = (...words: string[]) => {
  const { suite, names } = chooseScenarios(words);
  return [suite.name, ...names];
};
const refusal = (...words: string[]): string => {
  try {
    chooseScenarios(words);
    return "";
  } catch (error) {
    expect(error).toBeInstanceOf(OperatorError);
    return (error as Error).message;
  }
};

test("a scenario is named with its suite, without it, or after it", () => {
  expect(choose("http/LogSet")).toEqual(["http", "LogSet"]);
  expect(choose("LogSet")).toEqual(["http", "LogSet"]);
  expect(choose("http", "LogSet", "http/Ping")).toEqual(["http", "LogSet", "Ping"]);
  expect(choose("LogSet", "Ping")).toEqual(["http", "LogSet", "Ping"]);
  expect(choose("login-storm")).toEqual(["mix", "login-storm"]);
});

test("a suite alone means its usual scenarios, or all of them with --all", () => {
  expect(choose("http")).toHaveLength(11);
  expect(choose("mix")).toEqual(["mix", "usual"]);
  expect(chooseScenarios(["http"], { all: true }).names.length).toBeGreaterThan(80);
});

test("an unknown name is refused with the nearest one", () => {
  expect(refusal("http/LogSte")).toContain("did you mean LogSet?");
  expect(refusal("htp")).toContain("did you mean http?");
  expect(refusal("http", "GetWorkot")).toContain("did you mean GetWorkout?");
  expect(refusal("xyzzy/plugh")).toContain("see ./irontrack bench list");
  expect(refusal("http", "io/commit")).toContain("one suite at a time");
});

test("scenario names are unique across suites", () => {
  const names = SUITES.flatMap(({ scenarios }) => scenarios.map(({ name }) => name));
  expect(new Set(names).size).toBe(names.length);
});

test("the usual mix is 80 % reading, 15 % logging and 5 % account", async () => {
  const logging = ["LogSet", "UpdateSet", "StartWorkout", "FinishWorkout"];
  const account = ["AccountProfile", "RefreshAccessToken"];
  const share = (of: (operation: string) => boolean) =>
    USUAL_MIX.filter(([operation]) => of(operation)).reduce((sum, [, percent]) => sum + percent, 0);
  expect(share((operation) => logging.includes(operation))).toBe(15);
  expect(share((operation) => account.includes(operation))).toBe(5);
  expect(share(() => true)).toBe(100);
  // Requests follow such weights. The readers of the storm need only these fixtures.
  const storm = MIX_SCENARIOS.find(({ operation }) => operation === "login-storm");
  const fixtures = {
    athlete: { cookie: "", email: "a@example.com", id: "" },
    workout: "1",
  } as Fixtures;
  const requests = await Promise.all(
    Array.from({ length: 5000 }, (_, n) => storm?.request(fixtures, n)),
  );
  expect(
    requests.filter((request) => request?.operation === "GetWorkout").length / requests.length,
  ).toBeCloseTo(0.4, 1);
});

test("the command lists every suite, and exits with 2 for an unknown name", () => {
  const bench = (...args: string[]) =>
    spawnSync(process.execPath, [join(import.meta.dir, "../cli.ts"), ...args], {
      encoding: "utf8",
    });
  const listed = JSON.parse(bench("list", "--json").stdout) as { name: string }[];
  expect(listed.map(({ name }) => name)).toEqual(["http", "mix", "db", "micro", "io", "stall"]);
  const wrong = bench("run", "LogSte");
  expect([wrong.status, wrong.stderr]).toEqual([
    2,
    expect.stringContaining("did you mean LogSet?"),
  ]);
  const arrivals = bench("run", "LogSet", "--arrivals", "poison");
  expect([arrivals.status, arrivals.stderr]).toEqual([
    2,
    expect.stringContaining("did you mean poisson?"),
  ]);
  expect(bench("sweep", "LogSet", "--slo", "p99").status).toBe(2);
});
