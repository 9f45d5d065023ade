import {
  type Fixtures,
  get,
  makePerson,
  send,
  uniqueName,
  wholeWorkout,
  write,
} from "../testbed/fixtures.ts";
import type { Scenario } from "./scenario.ts";

const set = { reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8 };

type StartedWorkout = { id: string; exercises: { id: string; sets: { id: string }[] }[] };
/** Starts a workout of three exercises, with `sets` sets in the first. */
async function startWorkout(
  fixtures: Fixtures,
  sets = 1,
): Promise<{ id: string; exercise: string; set: string }> {
  const {
    startedAt: _startedAt,
    endedAt: _endedAt,
    ...workoutInProgress
  } = wholeWorkout(fixtures, 0);
  const exercises = workoutInProgress.exercises.map((exercise) => ({
    ...exercise,
    sets: exercise.sets.slice(0, sets),
  }));
  const workout = await send<StartedWorkout>(
    fixtures,
    write(fixtures.athlete, "POST", "/workouts", { ...workoutInProgress, exercises }),
  );
  return {
    id: workout.id,
    exercise: workout.exercises[0]?.id ?? "",
    set: workout.exercises[0]?.sets[0]?.id ?? "",
  };
}

/** A scenario whose requests each have a newly started workout. */
const onStartedWorkout = (
  operation: string,
  method: string,
  path: (workoutInProgress: { id: string; exercise: string; set: string }) => string,
  body?: unknown,
): Scenario => ({
  operation,
  request: async (fixtures) =>
    write(fixtures.athlete, method, `/workouts/${path(await startWorkout(fixtures))}`, body),
});

const JANUARY = "from=2026-01-01&to=2026-01-31";

/** Workouts and progress. */
const WORKOUT_SCENARIOS: Scenario[] = [
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
  onStartedWorkout("DeleteWorkout", "DELETE", ({ id }) => id),
  onStartedWorkout("FinishWorkout", "POST", ({ id }) => `${id}/finish`, {}),
  onStartedWorkout("AbortWorkout", "POST", ({ id }) => `${id}/abort`, {}),
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
      const { id } = await startWorkout(fixtures);
      await send(fixtures, write(fixtures.athlete, "DELETE", `/workouts/${id}`));
      return write(fixtures.athlete, "POST", `/workouts/${id}/restore`, {});
    },
  },
  onStartedWorkout("AddWorkoutExercise", "POST", ({ id }) => `${id}/exercises`, {
    exerciseName: "Press",
    mode: "reps",
  }),
  onStartedWorkout(
    "UpdateWorkoutExercise",
    "PATCH",
    ({ id, exercise }) => `${id}/exercises/${exercise}`,
    {
      position: 3,
    },
  ),
  onStartedWorkout(
    "DeleteWorkoutExercise",
    "DELETE",
    ({ id, exercise }) => `${id}/exercises/${exercise}`,
  ),
  onStartedWorkout("LogSet", "POST", ({ id, exercise }) => `${id}/exercises/${exercise}/sets`, set),
  onStartedWorkout("UpdateSet", "PATCH", ({ id, set: setId }) => `${id}/sets/${setId}`, {
    reps: 6,
  }),
  onStartedWorkout("DeleteSet", "DELETE", ({ id, set: setId }) => `${id}/sets/${setId}`),
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
const newImport = ({ athlete }: Fixtures, n: number) => ({
  method: "POST",
  path: "/api/v1/imports?timeZone=UTC",
  headers: { cookie: athlete.cookie, "content-type": "text/csv" },
  body: `${CSV_HEADER}\n2020-01-01 10:00:00,${uniqueName(`Day ${n}`)},Press,1,50,kg,5\n`,
});

const IMPORT_SCENARIOS: Scenario[] = [
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
  { operation: "ImportTraining", request: newImport },
  { operation: "ListImports", request: ({ athlete }) => get(athlete, "/imports") },
  {
    operation: "UndoImport",
    request: async (fixtures, n) => {
      const { importId } = await send<{ importId: string }>(fixtures, newImport(fixtures, n));
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

export const TRAINING_SCENARIOS: Scenario[] = [...WORKOUT_SCENARIOS, ...IMPORT_SCENARIOS];
