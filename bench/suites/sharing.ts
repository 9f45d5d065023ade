import {
  get,
  made,
  makePerson,
  newPlan,
  newRoutine,
  type Scenario,
  type World,
  write,
} from "../testbed/fixtures.ts";

const SCOPES = ["read_history", "write_plans"];
const unique = (what: string) => `${what} ${crypto.randomUUID()}`;

/** A new account that the trainer has invited. */
async function invite(world: World) {
  const person = await makePerson(world.stand);
  const { id } = await made(
    world,
    write(world.trainer, "POST", "/clients", { email: person.email, scopes: SCOPES }),
  );
  return { person, id };
}

/** A new client of the trainer's, who allows everything. */
async function makeClient(world: World) {
  const { person, id } = await invite(world);
  await made(world, write(person, "POST", `/trainers/${id}/accept`, {}));
  return { person, id };
}

/** What a trainer reads of a client, by the path below the client's. */
const ofClient = (operation: string, path: (world: World) => string): Scenario => ({
  operation,
  request: async (world) =>
    get(world.trainer, `/clients/${(await makeClient(world)).id}${path(world)}`),
});

const makeLink = (world: World) =>
  made<{ id: string; path: string }>(
    world,
    write(world.athlete, "POST", "/links", { planId: world.plan }),
  );

/** Trainers, their clients, and public links. */
export const SHARING_SCENARIOS: Scenario[] = [
  {
    operation: "InviteClient",
    request: async ({ stand, trainer }) =>
      write(trainer, "POST", "/clients", {
        email: (await makePerson(stand)).email,
        scopes: SCOPES,
      }),
  },
  { operation: "ListClients", request: ({ trainer }) => get(trainer, "/clients") },
  { operation: "ListTrainers", request: ({ athlete }) => get(athlete, "/trainers") },
  {
    operation: "AcceptTrainer",
    request: async (world) => {
      const { person, id } = await invite(world);
      return write(person, "POST", `/trainers/${id}/accept`, {});
    },
  },
  {
    operation: "ChangeTrainerScopes",
    request: async (world) => {
      const { person, id } = await makeClient(world);
      return write(person, "PATCH", `/trainers/${id}`, { scopes: ["read_history"] });
    },
  },
  {
    operation: "EndTrainer",
    request: async (world) => {
      const { person, id } = await makeClient(world);
      return write(person, "DELETE", `/trainers/${id}`);
    },
  },
  {
    operation: "EndClient",
    request: async (world) =>
      write(world.trainer, "DELETE", `/clients/${(await makeClient(world)).id}`),
  },
  ofClient("ListClientWorkouts", () => "/workouts"),
  {
    operation: "GetClientWorkout",
    request: async (world) => {
      const { person, id } = await makeClient(world);
      const workout = await made(world, write(person, "POST", "/workouts", { timeZone: "UTC" }));
      return get(world.trainer, `/clients/${id}/workouts/${workout.id}`);
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
    request: async (world) => {
      const { id } = await makeClient(world);
      const routine = await made(
        world,
        write(
          world.trainer,
          "POST",
          "/routines",
          newRoutine({ ...world, ownExercise: world.systemExercise }, unique("Routine")),
        ),
      );
      const plan = await made(
        world,
        write(
          world.trainer,
          "POST",
          "/plans",
          newPlan({ ...world, routine: routine.id }, unique("Plan")),
        ),
      );
      return write(world.trainer, "POST", `/plans/${plan.id}/assign`, { clientIds: [id] });
    },
  },
  {
    operation: "CreateLink",
    request: ({ athlete, plan }) => write(athlete, "POST", "/links", { planId: plan }),
  },
  { operation: "ListLinks", request: ({ athlete }) => get(athlete, "/links") },
  {
    operation: "DeleteLink",
    request: async (world) =>
      write(world.athlete, "DELETE", `/links/${(await makeLink(world)).id}`),
  },
  {
    operation: "GetLinked",
    request: async (world) => ({ method: "GET", path: (await makeLink(world)).path }),
  },
];
