import { ACCOUNT_SCENARIOS } from "./accounts.ts";
import { CATALOG_SCENARIOS } from "./catalog.ts";
import { PLANNING_SCENARIOS } from "./planning.ts";
import type { Scenario } from "./scenario.ts";
import { SHARING_SCENARIOS } from "./sharing.ts";
import { TRAINING_SCENARIOS } from "./training.ts";

/** A scenario for every operation of the API, which `bench/suites/http.test.ts` checks. */
export const HTTP_SCENARIOS: Scenario[] = [
  ...ACCOUNT_SCENARIOS,
  ...CATALOG_SCENARIOS,
  ...PLANNING_SCENARIOS,
  ...TRAINING_SCENARIOS,
  ...SHARING_SCENARIOS,
];

/** The most frequent operations, used if no scenario is named. */
export const USUAL = [
  "Ping",
  "AccountProfile",
  "ListExercises",
  "GetExercise",
  "ListWorkouts",
  "GetWorkout",
  "StartWorkout",
  "LogSet",
  "GetRecords",
  "ListVolume",
];
