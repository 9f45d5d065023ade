import { mulberry32 } from "../figures/statistics.ts";
import { type Fixtures, PASSWORD, write } from "../testbed/fixtures.ts";
import { HTTP_SCENARIOS } from "./http.ts";
import type { LoadScenario } from "./scenario.ts";

/** An operation of a mix, and how many of a hundred requests ask for it. */
type Part = [operation: string, percent: number];

/** What people do on a day: 80 % reading, 15 % logging training, 5 % their account. */
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

/** Requests of `parts` by their weights, the same order of operations each time. */
function mixOf(parts: Part[]): LoadScenario["request"] {
  const random = mulberry32(MIX_SEED);
  const hundred = parts.flatMap(([operation, percent]) => Array<string>(percent).fill(operation));
  const chosen: string[] = [];
  const operationOf = (n: number) => {
    while (chosen.length <= n)
      chosen.push(hundred[Math.floor(random() * hundred.length)] as string);
    return chosen[n] as string;
  };
  return async (fixtures, n) => {
    const operation = operationOf(n);
    return { ...(await scenarioOf(operation).request(fixtures, n)), operation };
  };
}

const scenarioOf = (operation: string) => {
  const found = HTTP_SCENARIOS.find((scenario) => scenario.operation === operation);
  if (!found) throw new Error(`There is no operation ${operation}`);
  return found;
};

/** What many people do at once. */
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
    // More than may wait for a hash (PASSWORD_QUEUE) and are let in meanwhile: the last of them are
    // told to come again.
    wave: { people: 150, fromMs: 1000, withinMs: 1000, request: signInOfSomebodyNew },
    // Hashes as production makes them; other scenarios have cheaper ones.
    settings: { PASSWORD_MEMORY_KIB: "", PASSWORD_PASSES: "" },
  },
];

/**
 * Of a person with an account, the athlete's password and nothing else: nobody waits for another's
 * row.
 */
async function signInOfSomebodyNew({ testBed, athlete }: Fixtures) {
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
