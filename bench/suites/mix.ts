import { mulberry32 } from "../figures/statistics.ts";
import { PASSWORD } from "../testbed/accounts.ts";
import { type Fixtures, write } from "../testbed/fixtures.ts";
import { HTTP_SCENARIOS } from "./http.ts";
import type { LoadScenario } from "./scenario.ts";

/** An operation of a mix and its share of the requests. */
type Part = [operation: string, percent: number];

/** A typical day: 80 % reading, 15 % logging training, 5 % account. */
export const USUAL_MIX: Part[] = [
  ["ListExercises", 15],
  ["GetExercise", 15],
  ["GetWorkout", 15],
  ["ListWorkouts", 10],
  ["GetRoutine", 10],
  ["GetRecords", 5],
  ["ListVolume", 5],
  ["ListChanges", 5],
  ["LogSet", 10],
  ["UpdateSet", 2],
  ["StartWorkout", 2],
  ["FinishWorkout", 1],
  ["AccountProfile", 4],
  ["RefreshAccessToken", 1],
];

const MIX_SEED = 7;

/** Requests of `parts` by weight, always in the same order of operations. */
function mixOf(parts: Part[]): LoadScenario["request"] {
  const random = mulberry32(MIX_SEED);
  const operations = parts.flatMap(([operation, percent]) =>
    Array<string>(percent).fill(operation),
  );
  const sequence: string[] = [];
  const operationOf = (n: number) => {
    while (sequence.length <= n)
      sequence.push(operations[Math.floor(random() * operations.length)] as string);
    return sequence[n] as string;
  };
  return async (fixtures, n) => {
    const operation = operationOf(n);
    return { ...(await scenarioOf(operation).request(fixtures, n)), operation };
  };
}

const scenarioOf = (operation: string) => {
  const scenario = HTTP_SCENARIOS.find((candidate) => candidate.operation === operation);
  if (!scenario) throw new Error(`There is no operation ${operation}`);
  return scenario;
};

/** Mixed loads of many athletes. */
export const MIX_SCENARIOS: (LoadScenario & { about: string })[] = [
  {
    operation: "usual",
    about: "80 % reading, 15 % logging, 5 % account, by many people",
    request: mixOf(USUAL_MIX),
    people: 40,
  },
  {
    operation: "login-storm",
    about:
      "150 people (--wave) sign in within a second, while others read at --rate: Argon2id and its queue",
    request: mixOf([
      ["AccountProfile", 20],
      ["ListExercises", 40],
      ["GetWorkout", 40],
    ]),
    // More than PASSWORD_QUEUE and the hashes computed meanwhile allow, so the last are refused
    // with Retry-After.
    wave: { people: 150, fromMs: 1000, withinMs: 1000, request: signInOfNewAccount },
    // Production's cost of hashes; other scenarios use a cheaper one.
    settings: { PASSWORD_MEMORY_KIB: "", PASSWORD_PASSES: "" },
  },
];

/**
 * A sign-in by a new account with the athlete's password, so that no two sign-ins wait for the same
 * row.
 */
async function signInOfNewAccount({ testBed, athlete }: Fixtures) {
  const email = `storm-${crypto.randomUUID()}@example.com`;
  await testBed.db.sql`
    insert into users (email, password_hash, role_id)
    select ${email}, password_hash, role_id from users where id = ${athlete.id}`;
  const signIn = write({ cookie: "" }, "POST", "/access/signin", {
    username: email,
    password: PASSWORD,
  });
  return { ...signIn, operation: "AccountLogin" };
}
