import type { Db } from "#db/client.ts";
import { findLoginState, insertLogin } from "#src/access/access.queries.ts";
import { countFacets } from "#src/exercises/exercise-facets.queries.ts";
import { listDocuments } from "#src/exercises/exercise-list.queries.ts";
import { findDocument } from "#src/exercises/exercises.queries.ts";
import { lockWorkout } from "#src/permissions/parent-locks.queries.ts";
import { listHistory } from "#src/progress/history.queries.ts";
import { findRecordsJson } from "#src/progress/records.queries.ts";
import { findStreaksJson } from "#src/progress/streaks.queries.ts";
import { listVolumeJson } from "#src/progress/volume.queries.ts";
import { findRoutineJson, listRoutinesJson } from "#src/routines/routines.queries.ts";
import { listChanges } from "#src/sync/changes.queries.ts";
import { insertSet } from "#src/workouts/workout-sets.queries.ts";
import { insertWorkout } from "#src/workouts/workout-writes.queries.ts";
import { findWorkoutJson, listWorkouts } from "#src/workouts/workouts.queries.ts";
import { setRow } from "#src/workouts/workouts.service.ts";
import { type Fixtures, send, write } from "../testbed/fixtures.ts";

/** The athlete whose training the statements use, with a workout in progress. */
export type Subject = {
  userId: string;
  loginId: string;
  ownExercise: string;
  systemExercise: string;
  routine: string;
  workout: string;
  workoutInProgress: { workout: string; exercise: string };
};

/**
 * A statement, or the statements of one user action, called through the application's own
 * functions.
 */
export type DbScenario = {
  name: string;
  about: string;
  run(db: Db, subject: Subject, n: number): Promise<unknown>;
};

const PAGE = { limit: 20, offset: 0 };
const YEAR = { from: "2026-01-01", to: "2026-12-31" };

/**
 * Frequent statements, each alone through the pool. The difference to the operation of `run http`
 * is the cost of HTTP.
 */
export const DB_SCENARIOS: DbScenario[] = [
  {
    name: "findLoginState",
    about: "the login of a request, if it is not cached",
    run: (db, { userId, loginId }) => findLoginState(db, userId, loginId, Date.now()),
  },
  {
    name: "listDocuments",
    about: "a page of exercises",
    run: (db, { userId }, n) =>
      listDocuments(db, { userId, search: null }, { limit: 20, offset: (n % 40) * 20 }),
  },
  {
    name: "countFacets",
    about: "counts of exercises by facet",
    run: (db, { userId }) => countFacets(db, { userId, search: null }),
  },
  {
    name: "findDocument",
    about: "an exercise",
    run: (db, { userId, ownExercise }) => findDocument(db, userId, ownExercise),
  },
  {
    name: "listRoutinesJson",
    about: "a page of routines",
    run: (db, { userId }) => listRoutinesJson(db, userId, {}, PAGE),
  },
  {
    name: "findRoutineJson",
    about: "a routine",
    run: (db, { userId, routine }) => findRoutineJson(db, userId, routine),
  },
  {
    name: "listWorkouts",
    about: "a page of workouts",
    run: (db, { userId }) => listWorkouts(db, userId, {}, 20),
  },
  {
    name: "findWorkoutJson",
    about: "a workout",
    run: (db, { userId, workout }) => findWorkoutJson(db, userId, workout),
  },
  {
    name: "findRecordsJson",
    about: "records in an exercise",
    run: (db, { userId, ownExercise }) => findRecordsJson(db, userId, ownExercise, "epley"),
  },
  {
    name: "listHistory",
    about: "workouts with an exercise",
    run: (db, { userId, ownExercise }) =>
      listHistory(db, userId, ownExercise, { formula: "epley", after: undefined }, 20),
  },
  {
    name: "listVolumeJson",
    about: "volume of a year",
    run: (db, { userId }) => listVolumeJson(db, userId, YEAR),
  },
  {
    name: "findStreaksJson",
    about: "streaks of days and weeks",
    run: (db, { userId }) =>
      findStreaksJson(db, userId, { now: new Date(), timeZone: undefined, perWeek: 3 }),
  },
  {
    name: "listChanges",
    about: "a page of changes",
    run: (db, { userId }) => listChanges(db, userId, "0", 20),
  },
  {
    name: "insertSet",
    about: "logging a set: a transaction of two statements",
    run: (db, { userId, workoutInProgress }) =>
      db.transaction(async (tx) => {
        await lockWorkout(tx, userId, workoutInProgress.workout);
        const set = setRow({ reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8 }, 1, 1);
        return insertSet(tx, workoutInProgress.workout, workoutInProgress.exercise, set, {
          modes: ["reps"],
          max: 500,
        });
      }),
  },
  {
    name: "insertWorkout",
    about: "starting a workout from a routine",
    run: (db, { userId, routine }) =>
      insertWorkout(db, userId, { ...NEW_WORKOUT, routineId: routine }, undefined, []),
  },
  {
    name: "insertLogin",
    about: "a login",
    run: (db, { userId }) => {
      const startedAt = new Date();
      const expiresAt = new Date(startedAt.getTime() + 86_400_000);
      const refreshHash = crypto.getRandomValues(new Uint8Array(32));
      const id = Bun.randomUUIDv7();
      return insertLogin(db, {
        id,
        userId,
        refreshHash,
        startedAt,
        expiresAt,
        userAgent: null,
        address: null,
      });
    },
  },
];

const NEW_WORKOUT = {
  id: null,
  name: null,
  status: null,
  planId: null,
  startedAt: null,
  endedAt: null,
  timeZone: "UTC",
  bodyWeightKg: null,
  notes: null,
};

/** Creates the data that the statements need. */
export async function makeSubject(fixtures: Fixtures): Promise<Subject> {
  const { testBed, athlete, ownExercise, systemExercise, routine, workout } = fixtures;
  const [login] = await testBed.db.sql<
    { id: string }[]
  >`select id from logins where user_id = ${athlete.id} limit 1`;
  const workoutInProgress = await send<{ id: string; exercises: { id: string }[] }>(
    fixtures,
    write(athlete, "POST", "/workouts", { routineId: routine, timeZone: "UTC" }),
  );
  return {
    userId: athlete.id,
    loginId: login?.id ?? "",
    ownExercise,
    systemExercise,
    routine,
    workout,
    workoutInProgress: {
      workout: workoutInProgress.id,
      exercise: workoutInProgress.exercises[0]?.id ?? "",
    },
  };
}
