import { mulberry32 } from "../figures/statistics.ts";
import { HTTP_SCENARIOS } from "./http.ts";
import type { LoadScenario } from "./load-scenario.ts";

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
    while (chosen.length <= n) chosen.push(hundred[Math.floor(random() * hundred.length)] as string);
    return chosen[n] as string;
  };
  return async (world, n) => {
    const operation = operationOf(n);
    return { ...(await scenarioOf(operation).request(world, n)), operation };
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
    about: "everybody signs in at once: from a tenth of --rate to all of it, and beside it the usual mix of readers",
    request: mixOf([
      ["AccountLogin", 20],
      ["AccountProfile", 20],
      ["ListExercises", 30],
      ["GetWorkout", 30],
    ]),
    people: 16,
    load: { model: "ramp", fromShare: 0.1 },
  },
];
