import { expect, test } from "bun:test";
import { spawnSync } from "node:child_process";
import { join } from "node:path";
import { OperatorError } from "#lib/errors.ts";
import type { Fixtures } from "../testbed/fixtures.ts";
import { MIX_SCENARIOS, USUAL_MIX } from "./mix.ts";
import { chooseScenarios, SUITES } from "./suites.ts";

const chosen = (...words: string[]) => {
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
  expect(chosen("http/LogSet")).toEqual(["http", "LogSet"]);
  expect(chosen("LogSet")).toEqual(["http", "LogSet"]);
  expect(chosen("http", "LogSet", "http/Ping")).toEqual(["http", "LogSet", "Ping"]);
  expect(chosen("LogSet", "Ping")).toEqual(["http", "LogSet", "Ping"]);
  expect(chosen("login-storm")).toEqual(["mix", "login-storm"]);
});

test("a suite alone is its usual scenarios, and every one when that is asked for", () => {
  expect(chosen("http")).toHaveLength(11);
  expect(chosen("mix")).toEqual(["mix", "usual"]);
  expect(chooseScenarios(["http"], { all: true }).names.length).toBeGreaterThan(80);
});

test("a wrong name is answered with the nearest one", () => {
  expect(refusal("http/LogSte")).toContain("did you mean LogSet?");
  expect(refusal("htp")).toContain("did you mean http?");
  expect(refusal("http", "GetWorkot")).toContain("did you mean GetWorkout?");
  expect(refusal("xyzzy/plugh")).toContain("see ./irontrack bench list");
  expect(refusal("http", "io/commit")).toContain("one suite at a time");
});

test("no two suites have a scenario of one name, so that a name alone is enough", () => {
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
  // And requests are chosen by such weights; those of the storm's readers need no more of the fixtures
  // than this.
  const storm = MIX_SCENARIOS.find(({ operation }) => operation === "login-storm");
  const fixtures = {
    athlete: { cookie: "", email: "a@example.com", id: "" },
    workout: "1",
  } as Fixtures;
  const asked = await Promise.all(
    Array.from({ length: 5000 }, (_, n) => storm?.request(fixtures, n)),
  );
  expect(
    asked.filter((request) => request?.operation === "GetWorkout").length / asked.length,
  ).toBeCloseTo(0.4, 1);
});

test("the command lists every suite, and says which name was wrong with exit code 2", () => {
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
