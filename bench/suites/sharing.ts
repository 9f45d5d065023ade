import {
  type Fixtures,
  get,
  makePerson,
  newPlan,
  newRoutine,
  send,
  uniqueName,
  write,
} from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const SCOPES = ["read_history", "write_plans"];

/** Creates an account that the trainer has invited. */
async function invite(fixtures: Fixtures) {
  const client = await makePerson(fixtures.testBed);
  const { id } = await send(
    fixtures,
    write(fixtures.trainer, "POST", "/clients", { email: client.email, scopes: SCOPES }),
  );
  return { client, id };
}

/** Creates a client of the trainer with all scopes. */
async function makeClient(fixtures: Fixtures) {
  const { client, id } = await invite(fixtures);
  await send(fixtures, write(client, "POST", `/trainers/${id}/accept`, {}));
  return { client, id };
}

/** A scenario of a trainer's request for a client's data, by the path below the client. */
const clientScenario = (operation: string, path: (fixtures: Fixtures) => string): Scenario => ({
  operation,
  request: async (fixtures) =>
    get(fixtures.trainer, `/clients/${(await makeClient(fixtures)).id}${path(fixtures)}`),
});

const makeLink = (fixtures: Fixtures) =>
  send<{ id: string; path: string }>(
    fixtures,
    write(fixtures.athlete, "POST", "/links", { planId: fixtures.plan }),
  );

/** Trainers, their clients, and public links. */
export const SHARING_SCENARIOS: Scenario[] = [
  {
    operation: "InviteClient",
    request: async ({ testBed, trainer }) =>
      write(trainer, "POST", "/clients", {
        email: (await makePerson(testBed)).email,
        scopes: SCOPES,
      }),
  },
  { operation: "ListClients", request: ({ trainer }) => get(trainer, "/clients") },
  { operation: "ListTrainers", request: ({ athlete }) => get(athlete, "/trainers") },
  {
    operation: "AcceptTrainer",
    request: async (fixtures) => {
      const { client, id } = await invite(fixtures);
      return write(client, "POST", `/trainers/${id}/accept`, {});
    },
  },
  {
    operation: "ChangeTrainerScopes",
    request: async (fixtures) => {
      const { client, id } = await makeClient(fixtures);
      return write(client, "PATCH", `/trainers/${id}`, { scopes: ["read_history"] });
    },
  },
  {
    operation: "EndTrainer",
    request: async (fixtures) => {
      const { client, id } = await makeClient(fixtures);
      return write(client, "DELETE", `/trainers/${id}`);
    },
  },
  {
    operation: "EndClient",
    request: async (fixtures) =>
      write(fixtures.trainer, "DELETE", `/clients/${(await makeClient(fixtures)).id}`),
  },
  clientScenario("ListClientWorkouts", () => "/workouts"),
  {
    operation: "GetClientWorkout",
    request: async (fixtures) => {
      const { client, id } = await makeClient(fixtures);
      const workout = await send(fixtures, write(client, "POST", "/workouts", { timeZone: "UTC" }));
      return get(fixtures.trainer, `/clients/${id}/workouts/${workout.id}`);
    },
  },
  clientScenario(
    "GetClientRecords",
    ({ systemExercise }) => `/progress/exercises/${systemExercise}/records`,
  ),
  clientScenario(
    "ListClientExerciseHistory",
    ({ systemExercise }) => `/progress/exercises/${systemExercise}/history`,
  ),
  clientScenario("GetClientStreaks", () => "/progress/streaks"),
  clientScenario("ListClientVolume", () => "/progress/volume?from=2026-01-01&to=2026-01-31"),
  {
    operation: "AssignPlan",
    request: async (fixtures) => {
      const { id } = await makeClient(fixtures);
      const routine = await send(
        fixtures,
        write(
          fixtures.trainer,
          "POST",
          "/routines",
          newRoutine({ ...fixtures, ownExercise: fixtures.systemExercise }, uniqueName("Routine")),
        ),
      );
      const plan = await send(
        fixtures,
        write(
          fixtures.trainer,
          "POST",
          "/plans",
          newPlan({ ...fixtures, routine: routine.id }, uniqueName("Plan")),
        ),
      );
      return write(fixtures.trainer, "POST", `/plans/${plan.id}/assign`, { clientIds: [id] });
    },
  },
  {
    operation: "CreateLink",
    request: ({ athlete, plan }) => write(athlete, "POST", "/links", { planId: plan }),
  },
  { operation: "ListLinks", request: ({ athlete }) => get(athlete, "/links") },
  {
    operation: "DeleteLink",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/links/${(await makeLink(fixtures)).id}`),
  },
  {
    operation: "GetLinked",
    request: async (fixtures) => ({ method: "GET", path: (await makeLink(fixtures)).path }),
  },
];
