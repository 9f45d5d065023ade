import {
  type Fixtures,
  get,
  newPlan,
  newRoutine,
  send,
  uniqueName,
  write,
} from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const target = { exerciseName: "Press", mode: "reps", sets: 3 };

const makeRoutine = async (fixtures: Fixtures) =>
  (
    await send(
      fixtures,
      write(fixtures.athlete, "POST", "/routines", newRoutine(fixtures, uniqueName("Routine"))),
    )
  ).id;
const makePlan = async (fixtures: Fixtures) =>
  (
    await send(
      fixtures,
      write(fixtures.athlete, "POST", "/plans", newPlan(fixtures, uniqueName("Plan"))),
    )
  ).id;

/** Routines, plans and grants. */
export const PLANNING_SCENARIOS: Scenario[] = [
  {
    operation: "CreateRoutine",
    request: (fixtures) =>
      write(fixtures.athlete, "POST", "/routines", newRoutine(fixtures, uniqueName("Routine"))),
  },
  { operation: "ListRoutines", request: ({ athlete }) => get(athlete, "/routines") },
  {
    operation: "GetRoutine",
    request: ({ athlete, routine }) => get(athlete, `/routines/${routine}`),
  },
  {
    operation: "UpdateRoutine",
    request: ({ athlete, routine }) =>
      write(athlete, "PATCH", `/routines/${routine}`, { exercises: [target, target] }),
  },
  {
    operation: "CloneRoutine",
    request: ({ athlete, routine }) =>
      write(athlete, "POST", `/routines/${routine}/clone`, { name: uniqueName("Copy") }),
  },
  {
    operation: "DeleteRoutine",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/routines/${await makeRoutine(fixtures)}`),
  },
  {
    operation: "CreatePlan",
    request: (fixtures) =>
      write(fixtures.athlete, "POST", "/plans", newPlan(fixtures, uniqueName("Plan"))),
  },
  { operation: "ListPlans", request: ({ athlete }) => get(athlete, "/plans") },
  { operation: "GetPlan", request: ({ athlete, plan }) => get(athlete, `/plans/${plan}`) },
  {
    operation: "UpdatePlan",
    request: ({ athlete, plan, routine }, n) =>
      write(athlete, "PATCH", `/plans/${plan}`, { routines: [{ routineId: routine, day: n + 1 }] }),
  },
  {
    operation: "ClonePlan",
    request: ({ athlete, plan }) =>
      write(athlete, "POST", `/plans/${plan}/clone`, { name: uniqueName("Copy") }),
  },
  {
    operation: "DeletePlan",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/plans/${await makePlan(fixtures)}`),
  },
  {
    operation: "CreateGrant",
    request: async (fixtures) =>
      write(fixtures.athlete, "POST", "/grants", await newGrant(fixtures)),
  },
  { operation: "ListGrants", request: ({ athlete }) => get(athlete, "/grants") },
  {
    operation: "UpdateGrant",
    request: async (fixtures) =>
      write(fixtures.athlete, "PATCH", `/grants/${await makeGrant(fixtures)}`, { access: "write" }),
  },
  {
    operation: "DeleteGrant",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/grants/${await makeGrant(fixtures)}`),
  },
];

const newGrant = async (fixtures: Fixtures) => ({
  routineId: await makeRoutine(fixtures),
  email: fixtures.trainer.email,
  access: "read",
});

const makeGrant = async (fixtures: Fixtures) =>
  (await send(fixtures, write(fixtures.athlete, "POST", "/grants", await newGrant(fixtures)))).id;
