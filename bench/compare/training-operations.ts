import type { Db } from "#db/client.ts";
import type { Actor } from "#src/permissions/actor.ts";
import { listHistory } from "#src/progress/history.queries.ts";
import { findRecordsJson } from "#src/progress/records.queries.ts";
import { listVolumeJson } from "#src/progress/volume.queries.ts";
import { logSet } from "#src/workouts/workout-sets.service.ts";
import { listWorkouts } from "#src/workouts/workouts.queries.ts";
import type { Athlete, TrainingTestBed } from "../testbed/training-testbed.ts";

/** A period of twelve weeks. */
const PERIOD = { from: "2025-10-06", to: "2025-12-28", by: "week" } as const;
export const SET = { reps: 5, weight: 82.5, weightUnit: "kg", rpe: 8, restS: 120 } as const;

/**
 * An operation on an athlete's training, as a request and as the application runs it without HTTP.
 */
export type TrainingOperation = {
  name: string;
  request(
    testBed: TrainingTestBed,
    athlete: Athlete,
  ): { method: string; path: string; body?: string };
  run(db: Db, testBed: TrainingTestBed, athlete: Athlete): Promise<unknown>;
};

const get = (path: string) => ({ method: "GET", path: `/api/v1${path}` });
const asActor = ({ userId }: Athlete): Actor => ({
  loginId: "",
  userId,
  email: "",
  name: null,
  roleSlug: "application-access",
});

export const OPERATIONS: TrainingOperation[] = [
  {
    name: "log a set",
    request: (_testBed, { workoutId, entryId }) => ({
      method: "POST",
      path: `/api/v1/workouts/${workoutId}/exercises/${entryId}/sets`,
      body: JSON.stringify(SET),
    }),
    run: (db, _testBed, athlete) => {
      const entry = { workoutId: athlete.workoutId, workoutExerciseId: athlete.entryId };
      return logSet(db, asActor(athlete), entry, SET, async () => {});
    },
  },
  {
    name: "list workouts",
    request: () => get("/workouts?pageSize=20"),
    run: (db, _testBed, { userId }) => listWorkouts(db, userId, {}, 21),
  },
  {
    name: "records of an exercise",
    request: ({ exerciseId }) => get(`/progress/exercises/${exerciseId}/records`),
    run: (db, { exerciseId }, { userId }) => findRecordsJson(db, userId, exerciseId, "epley"),
  },
  {
    name: "history of an exercise",
    request: ({ exerciseId }) => get(`/progress/exercises/${exerciseId}/history`),
    run: (db, { exerciseId }, { userId }) =>
      listHistory(db, userId, exerciseId, { formula: "epley", after: undefined }, 21),
  },
  {
    name: "weekly volume",
    request: () => get(`/progress/volume?from=${PERIOD.from}&to=${PERIOD.to}&by=${PERIOD.by}`),
    run: (db, _testBed, { userId }) => listVolumeJson(db, userId, PERIOD),
  },
];
