import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";
import { DB_SCENARIOS } from "./db.ts";
import { HTTP_SCENARIOS, USUAL } from "./http.ts";
import { IO_SCENARIOS } from "./io.ts";
import { MICRO_SCENARIOS } from "./micro.ts";
import { MIX_SCENARIOS } from "./mix.ts";
import type { SuiteScenario } from "./scenario.ts";

/** A group of scenarios that answer one question; `usual` are those of a run without names. */
export type Suite = { name: string; about: string; scenarios: SuiteScenario[]; usual: string[] };

const suite = (
  name: string,
  about: string,
  scenarios: SuiteScenario[],
  usual = scenarios.map(({ name }) => name),
): Suite => ({
  name,
  about,
  scenarios: scenarios.map(({ name: scenario, about: what }) => ({ name: scenario, about: what })),
  usual,
});

export const SUITES: Suite[] = [
  suite(
    "http",
    "one operation after the other under load",
    HTTP_SCENARIOS.map(({ operation }) => ({ name: operation, about: "" })),
    USUAL,
  ),
  suite(
    "mix",
    "many athletes at once, with different operations",
    MIX_SCENARIOS.map(({ operation, about }) => ({ name: operation, about })),
    ["usual"],
  ),
  suite("db", "each frequent statement alone through the pool, without HTTP", DB_SCENARIOS),
  suite("micro", "parts of a request, without sockets and database", MICRO_SCENARIOS),
  suite("io", "PostgreSQL on the disk, without the application", IO_SCENARIOS),
  suite("stall", "coordinated omission: does the generator measure stalls correctly?", [
    { name: "stall", about: "a server that stalls for 500 ms in every 2,500" },
  ]),
];

export type Choice = { suite: Suite; names: string[] };

/**
 * Resolves command-line words: a suite, `suite/scenario` or a scenario's name, and more scenarios
 * of the same suite. A suite alone means its usual scenarios, or all with `all`. Throws
 * OperatorError with the nearest name for an unknown one.
 */
export function chooseScenarios([first = "", ...others]: string[], { all = false } = {}): Choice {
  const [head = "", tail] = first.split("/");
  const known = SUITES.find(({ name }) => name === head);
  if (known && tail === undefined) {
    const names = others.map((word) => scenarioOf(known, word));
    if (names.length > 0) return { suite: known, names };
    return { suite: known, names: all ? known.scenarios.map(({ name }) => name) : known.usual };
  }
  const chosen = tail === undefined ? SUITES.find((suite) => has(suite, head)) : known;
  if (!chosen)
    throw unknown(first, [...SUITES.map(({ name }) => name), ...SUITES.flatMap(fullNames)]);
  return { suite: chosen, names: [first, ...others].map((word) => scenarioOf(chosen, word)) };
}

function scenarioOf(suite: Suite, word: string): string {
  const name = word.startsWith(`${suite.name}/`) ? word.slice(suite.name.length + 1) : word;
  if (has(suite, name)) return name;
  const elsewhere = SUITES.find((suite) => has(suite, word) || fullNames(suite).includes(word));
  if (elsewhere)
    throw new OperatorError(
      `${word} is of another suite than ${suite.name}: run one suite at a time`,
      2,
    );
  throw unknown(
    name,
    suite.scenarios.map((scenario) => scenario.name),
  );
}

const has = ({ scenarios }: Suite, name: string) =>
  scenarios.some((scenario) => scenario.name === name);

const fullNames = ({ name, scenarios }: Suite) =>
  scenarios.flatMap((scenario) => [`${name}/${scenario.name}`, scenario.name]);

function unknown(word: string, names: string[]): OperatorError {
  const near = nearest(word, names);
  return new OperatorError(
    `There is no ${word}${near ? `: did you mean ${near}?` : ""} (see ./irontrack bench list)`,
    2,
  );
}
