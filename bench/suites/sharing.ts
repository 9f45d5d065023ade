import {
  type Fixtures,
  get,
  makePerson,
  newPlan,
  newRoutine,
  send,
  write,
} from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const SCOPES = ["read_history", "write_plans"];
const unique = (what: string) => `${what} ${crypto.randomUUID()}`;

/** A new account that the trainer has invited. */
async function invite(fixtures: Fixtures) {
  const person = await makePerson(fixtures.testBed);
  const { id } = await send(
    fixtures,
    write(fixtures.trainer, "POST", "/clients", { email: person.email, scopes: SCOPES }),
  );
  return { person, id };
}

/** A new client of the trainer's, who allows everything. */
async function makeClient(fixtures: Fixtures) {
  const { person, id } = await invite(fixtures);
  await send(fixtures, write(person, "POST", `/trainers/${id}/accept`, {}));
  return { person, id };
}

/** What a trainer reads of a client, by the path below the client's. */
const ofClient = (operation: string, path: (fixtures: Fixtures) => string): Scenario => ({
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
      const { person, id } = await invite(fixtures);
      return write(person, "POST", `/trainers/${id}/accept`, {});
    },
  },
  {
    operation: "ChangeTrainerScopes",
    request: async (fixtures) => {
      const { person, id } = await makeClient(fixtures);
      return write(person, "PATCH", `/trainers/${id}`, { scopes: ["read_history"] });
    },
  },
  {
    operation: "EndTrainer",
    request: async (fixtures) => {
      const { person, id } = await makeClient(fixtures);
      return write(person, "DELETE", `/trainers/${id}`);
    },
  },
  {
    operation: "EndClient",
    request: async (fixtures) =>
      write(fixtures.trainer, "DELETE", `/clients/${(await makeClient(fixtures)).id}`),
  },
  ofClient("ListClientWorkouts", () => "/workouts"),
  {
    operation: "GetClientWorkout",
    request: async (fixtures) => {
      const { person, id } = await makeClient(fixtures);
      const workout = await send(fixtures, write(person, "POST", "/workouts", { timeZone: "UTC" }));
      return get(fixtures.trainer, `/clients/${id}/workouts/${workout.id}`);
    },
  },
  ofClient(
    "GetClientRecords",
    ({ systemExercise }) => `/progress/exercises/${systemExercise}/records`,
  ),
  ofClient(
    "ListClientExerciseHistory",
    ({ systemExercise }) => `/progress/exercises/${systemExercise}/history`,
  ),
  ofClient("GetClientStreaks", () => "/progress/streaks"),
  ofClient("ListClientVolume", () => "/progress/volume?from=2026-01-01&to=2026-01-31"),
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
          newRoutine({ ...fixtures, ownExercise: fixtures.systemExercise }, unique("Routine")),
        ),
      );
      const plan = await send(
        fixtures,
        write(
          fixtures.trainer,
          "POST",
          "/plans",
          newPlan({ ...fixtures, routine: routine.id }, unique("Plan")),
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
