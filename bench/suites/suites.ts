import { nearest } from "#lib/command-line/nearest.ts";
import { OperatorError } from "#lib/errors.ts";
import { DB_SCENARIOS } from "./db.ts";
import { HTTP_SCENARIOS, USUAL } from "./http.ts";
import { IO_SCENARIOS } from "./io.ts";
import { MICRO_SCENARIOS } from "./micro.ts";
import { MIX_SCENARIOS } from "./mix.ts";
import type { SuiteScenario } from "./scenario.ts";

/**
 * A group of scenarios that answer one question. `usual` are those that a run of the whole suite
 * has.
 */
export type Suite = { name: string; about: string; scenarios: SuiteScenario[]; usual: string[] };

const suite = (
  name: string,
  about: string,
  scenarios: SuiteScenario[],
  usual = scenarios.map((one) => one.name),
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
    "many people at once, each doing something else",
    MIX_SCENARIOS.map(({ operation, about }) => ({ name: operation, about })),
    ["usual"],
  ),
  suite("db", "each hot statement alone through the pool, without HTTP", DB_SCENARIOS),
  suite("micro", "what a request is made of, without sockets and database", MICRO_SCENARIOS),
  suite("io", "what the disk makes of PostgreSQL", IO_SCENARIOS),
  suite("stall", "the trap of coordinated omission: is the generator fooled?", [
    { name: "stall", about: "a server that stalls for 500 ms in every 2,500" },
  ]),
];

export type Choice = { suite: Suite; names: string[] };

/**
 * What was asked for: a suite, `suite/scenario`, or a scenario by its name, and further scenarios
 * of the same suite. A suite alone is its usual scenarios, with `all` every one. Throws
 * OperatorError with the nearest name for a wrong one.
 */
export function chooseScenarios([first = "", ...others]: string[], { all = false } = {}): Choice {
  const [head = "", tail] = first.split("/");
  const known = SUITES.find(({ name }) => name === head);
  if (known && tail === undefined) {
    const names = others.map((word) => scenarioOf(known, word));
    if (names.length > 0) return { suite: known, names };
    return { suite: known, names: all ? known.scenarios.map(({ name }) => name) : known.usual };
  }
  const found = tail === undefined ? SUITES.find((one) => has(one, head)) : known;
  if (!found)
    throw unknown(first, [...SUITES.map(({ name }) => name), ...SUITES.flatMap(fullNames)]);
  return { suite: found, names: [first, ...others].map((word) => scenarioOf(found, word)) };
}

function scenarioOf(among: Suite, word: string): string {
  const name = word.startsWith(`${among.name}/`) ? word.slice(among.name.length + 1) : word;
  if (has(among, name)) return name;
  const elsewhere = SUITES.find((one) => has(one, word) || fullNames(one).includes(word));
  if (elsewhere)
    throw new OperatorError(
      `${word} is of another suite than ${among.name}: run one suite at a time`,
      2,
    );
  throw unknown(
    name,
    among.scenarios.map((one) => one.name),
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
