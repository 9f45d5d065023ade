import type { Db } from "#db/client.ts";
import { createdJson, noContent, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import {
  addExercise,
  changeExercise,
  changeSet,
  logSet,
  removeExercise,
  removeSet,
} from "./workout-sets.service.ts";
import {
  NewSet,
  NewWorkoutExercise,
  SetPatch,
  Workout,
  WorkoutExerciseId,
  WorkoutExercisePatch,
  WorkoutId,
  WorkoutSet,
  WorkoutSetId,
} from "./workouts.schemas.ts";

const tag = "Workouts";
const access = "active";
const workoutPath = "/api/v1/workouts/:workoutId";
const problems = {
  404: "There is no such thing in a workout of the asker's",
  409: "The workout is over, or the id is taken",
  412: "The workout is not as If-Match says",
};

export function workoutSetRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "POST",
      `${workoutPath}/exercises`,
      {
        id: "AddWorkoutExercise",
        tag,
        access,
        summary: "Add an exercise at the end of a workout",
        params: WorkoutId,
        body: NewWorkoutExercise,
        staleReason: "workouts.stale",
        answers: { 201: Workout },
        problems,
      },
      async ({ actor, params: { workoutId }, body, precondition }) => {
        return createdJson(await addExercise(db, actor, workoutId, body, precondition));
      },
    ),
    operation(
      "PATCH",
      `${workoutPath}/exercises/:workoutExerciseId`,
      {
        id: "UpdateWorkoutExercise",
        tag,
        access,
        summary: "Change or move an exercise of a workout",
        params: WorkoutExerciseId,
        body: WorkoutExercisePatch,
        staleReason: "workouts.stale",
        answers: { 200: Workout },
        problems,
      },
      async ({ actor, params, body, precondition }) =>
        okJson(await changeExercise(db, actor, params, body, precondition)),
    ),
    operation(
      "DELETE",
      `${workoutPath}/exercises/:workoutExerciseId`,
      {
        id: "DeleteWorkoutExercise",
        tag,
        access,
        summary: "Remove an exercise of a workout, with its sets",
        params: WorkoutExerciseId,
        staleReason: "workouts.stale",
        answers: { 204: null },
        problems,
      },
      async ({ actor, params, precondition }) => {
        await removeExercise(db, actor, params, precondition);
        return noContent();
      },
    ),
    operation(
      "POST",
      `${workoutPath}/exercises/:workoutExerciseId/sets`,
      {
        id: "LogSet",
        tag,
        access,
        summary: "Log a set at the end of an exercise",
        params: WorkoutExerciseId,
        body: NewSet,
        staleReason: "workouts.stale",
        answers: { 201: WorkoutSet },
        problems,
      },
      async ({ actor, params, body, precondition }) =>
        createdJson(await logSet(db, actor, params, body, precondition)),
    ),
    operation(
      "PATCH",
      `${workoutPath}/sets/:setId`,
      {
        id: "UpdateSet",
        tag,
        access,
        summary: "Change or move a set",
        params: WorkoutSetId,
        body: SetPatch,
        staleReason: "workouts.stale",
        answers: { 200: WorkoutSet },
        problems,
      },
      async ({ actor, params, body, precondition }) =>
        okJson(await changeSet(db, actor, params, body, precondition)),
    ),
    operation(
      "DELETE",
      `${workoutPath}/sets/:setId`,
      {
        id: "DeleteSet",
        tag,
        access,
        summary: "Remove a set",
        params: WorkoutSetId,
        staleReason: "workouts.stale",
        answers: { 204: null },
        problems,
      },
      async ({ actor, params, precondition }) => {
        await removeSet(db, actor, params, precondition);
        return noContent();
      },
    ),
  ];
}
