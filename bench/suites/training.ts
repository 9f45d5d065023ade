import {
  type Fixtures,
  get,
  makePerson,
  newPlan,
  newRoutine,
  send,
  wholeWorkout,
  write,
} from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const unique = (what: string) => `${what} ${crypto.randomUUID()}`;
const target = { exerciseName: "Press", mode: "reps", sets: 3 };
const set = { reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8 };

const makeRoutine = async (fixtures: Fixtures) =>
  (
    await send(
      fixtures,
      write(fixtures.athlete, "POST", "/routines", newRoutine(fixtures, unique("Routine"))),
    )
  ).id;
const makePlan = async (fixtures: Fixtures) =>
  (
    await send(
      fixtures,
      write(fixtures.athlete, "POST", "/plans", newPlan(fixtures, unique("Plan"))),
    )
  ).id;

type Begun = { id: string; exercises: { id: string; sets: { id: string }[] }[] };
/** A workout of three exercises that is under way, with `sets` sets in the first. */
async function begin(
  fixtures: Fixtures,
  sets = 1,
): Promise<{ id: string; exercise: string; set: string }> {
  const { startedAt: _startedAt, endedAt: _endedAt, ...begun } = wholeWorkout(fixtures, 0);
  const exercises = begun.exercises.map((exercise) => ({
    ...exercise,
    sets: exercise.sets.slice(0, sets),
  }));
  const workout = await send<Begun>(
    fixtures,
    write(fixtures.athlete, "POST", "/workouts", { ...begun, exercises }),
  );
  return {
    id: workout.id,
    exercise: workout.exercises[0]?.id ?? "",
    set: workout.exercises[0]?.sets[0]?.id ?? "",
  };
}

/** What `request` makes of a workout that is under way. */
const onBegun = (
  operation: string,
  method: string,
  path: (begun: { id: string; exercise: string; set: string }) => string,
  body?: unknown,
): Scenario => ({
  operation,
  request: async (fixtures) =>
    write(fixtures.athlete, method, `/workouts/${path(await begin(fixtures))}`, body),
});

/** Routines, plans and grants. */
const PLANNING: Scenario[] = [
  {
    operation: "CreateRoutine",
    request: (fixtures) =>
      write(fixtures.athlete, "POST", "/routines", newRoutine(fixtures, unique("Routine"))),
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
      write(athlete, "POST", `/routines/${routine}/clone`, { name: unique("Copy") }),
  },
  {
    operation: "DeleteRoutine",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/routines/${await makeRoutine(fixtures)}`),
  },
  {
    operation: "CreatePlan",
    request: (fixtures) =>
      write(fixtures.athlete, "POST", "/plans", newPlan(fixtures, unique("Plan"))),
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
      write(athlete, "POST", `/plans/${plan}/clone`, { name: unique("Copy") }),
  },
  {
    operation: "DeletePlan",
    request: async (fixtures) =>
      write(fixtures.athlete, "DELETE", `/plans/${await makePlan(fixtures)}`),
  },
  {
    operation: "CreateGrant",
    request: async (fixtures) => {
      const body = {
        routineId: await makeRoutine(fixtures),
        email: fixtures.trainer.email,
        access: "read",
      };
      return write(fixtures.athlete, "POST", "/grants", body);
    },
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

async function makeGrant(fixtures: Fixtures): Promise<string> {
  const body = {
    routineId: await makeRoutine(fixtures),
    email: fixtures.trainer.email,
    access: "read",
  };
  return (await send(fixtures, write(fixtures.athlete, "POST", "/grants", body))).id;
}

const JANUARY = "from=2026-01-01&to=2026-01-31";

/** Training, and what is made of it. */
const PERFORMING: Scenario[] = [
  {
    operation: "StartWorkout",
    request: ({ athlete, routine }) =>
      write(athlete, "POST", "/workouts", { routineId: routine, timeZone: "UTC" }),
  },
  { operation: "ListWorkouts", request: ({ athlete }) => get(athlete, "/workouts") },
  { operation: "ListTrashedWorkouts", request: ({ athlete }) => get(athlete, "/workouts/trash") },
  {
    operation: "ListTrainingDays",
    request: ({ athlete }) => get(athlete, `/workouts/calendar?${JANUARY}`),
  },
  {
    operation: "GetWorkout",
    request: ({ athlete, workout }) => get(athlete, `/workouts/${workout}`),
  },
  {
    operation: "UpdateWorkout",
    request: ({ athlete, workout }, n) =>
      write(athlete, "PATCH", `/workouts/${workout}`, { notes: `Note ${n}` }),
  },
  onBegun("DeleteWorkout", "DELETE", ({ id }) => id),
  onBegun("FinishWorkout", "POST", ({ id }) => `${id}/finish`, {}),
  onBegun("AbortWorkout", "POST", ({ id }) => `${id}/abort`, {}),
  {
    operation: "ReopenWorkout",
    request: async (fixtures, n) => {
      const { id } = await send(
        fixtures,
        write(fixtures.athlete, "POST", "/workouts", wholeWorkout(fixtures, n)),
      );
      return write(fixtures.athlete, "POST", `/workouts/${id}/reopen`, {});
    },
  },
  {
    operation: "RestoreWorkout",
    request: async (fixtures) => {
      const { id } = await begin(fixtures);
      await send(fixtures, write(fixtures.athlete, "DELETE", `/workouts/${id}`));
      return write(fixtures.athlete, "POST", `/workouts/${id}/restore`, {});
    },
  },
  onBegun("AddWorkoutExercise", "POST", ({ id }) => `${id}/exercises`, {
    exerciseName: "Press",
    mode: "reps",
  }),
  onBegun("UpdateWorkoutExercise", "PATCH", ({ id, exercise }) => `${id}/exercises/${exercise}`, {
    position: 3,
  }),
  onBegun("DeleteWorkoutExercise", "DELETE", ({ id, exercise }) => `${id}/exercises/${exercise}`),
  onBegun("LogSet", "POST", ({ id, exercise }) => `${id}/exercises/${exercise}/sets`, set),
  onBegun("UpdateSet", "PATCH", ({ id, set: setId }) => `${id}/sets/${setId}`, { reps: 6 }),
  onBegun("DeleteSet", "DELETE", ({ id, set: setId }) => `${id}/sets/${setId}`),
  {
    operation: "GetRecords",
    request: ({ athlete, ownExercise }) =>
      get(athlete, `/progress/exercises/${ownExercise}/records`),
  },
  {
    operation: "ListExerciseHistory",
    request: ({ athlete, ownExercise }) =>
      get(athlete, `/progress/exercises/${ownExercise}/history`),
  },
  { operation: "GetStreaks", request: ({ athlete }) => get(athlete, "/progress/streaks") },
  {
    operation: "ListVolume",
    request: ({ athlete }) => get(athlete, `/progress/volume?${JANUARY}`),
  },
  { operation: "ListChanges", request: ({ athlete }) => get(athlete, "/changes?pageSize=20") },
  {
    operation: "Sync",
    request: ({ athlete }) => {
      const state = { startedAt: "2026-02-01T10:00:00Z", timeZone: "UTC", exercises: [] };
      const changes = [{ kind: "workout", id: Bun.randomUUIDv7(), baseVersion: null, state }];
      return write(athlete, "POST", "/sync", { changes });
    },
  },
];

const CSV_HEADER = "Date,Workout Name,Exercise Name,Set Order,Weight,Weight Unit,Reps";
const importOf = ({ athlete }: Fixtures, n: number) => ({
  method: "POST",
  path: "/api/v1/imports?timeZone=UTC",
  headers: { cookie: athlete.cookie, "content-type": "text/csv" },
  body: `${CSV_HEADER}\n2020-01-01 10:00:00,${unique(`Day ${n}`)},Press,1,50,kg,5\n`,
});

const IMPORTING: Scenario[] = [
  { operation: "ExportArchive", request: ({ athlete }) => get(athlete, "/archive") },
  {
    operation: "ImportArchive",
    request: async ({ testBed, athlete }) => {
      const { server } = testBed;
      const archive = await fetch("http://localhost/api/v1/archive", {
        unix: server.socketPath,
        headers: { cookie: athlete.cookie },
      });
      const { cookie } = await makePerson(testBed);
      const headers = { cookie, "content-type": "application/zip" };
      return {
        method: "POST",
        path: "/api/v1/archive",
        headers,
        body: await archive.arrayBuffer(),
      };
    },
  },
  { operation: "ImportTraining", request: importOf },
  { operation: "ListImports", request: ({ athlete }) => get(athlete, "/imports") },
  {
    operation: "UndoImport",
    request: async (fixtures, n) => {
      const { importId } = await send<{ importId: string }>(fixtures, importOf(fixtures, n));
      return write(fixtures.athlete, "POST", `/imports/${importId}/undo`);
    },
  },
  { operation: "ListImportNames", request: ({ athlete }) => get(athlete, "/imports/names") },
  {
    operation: "ChooseImportNames",
    request: ({ athlete, ownExercise }, n) =>
      write(athlete, "PATCH", "/imports/names", {
        names: [{ name: `Name ${n}`, exerciseId: ownExercise }],
      }),
  },
];

export const TRAINING_SCENARIOS: Scenario[] = [...PLANNING, ...PERFORMING, ...IMPORTING];
