import { Type } from "@sinclair/typebox";
import type { Db } from "#db/client.ts";
import { choose, createdJson, noContent, okJson, taggedReply } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listDaysJson, listTrashJson } from "./workouts.queries.ts";
import {
  Calendar,
  CalendarQuery,
  Ending,
  ListWorkouts,
  NewWorkout,
  Nothing,
  Workout,
  WorkoutId,
  WorkoutPage,
  WorkoutPatch,
  WorkoutSummary,
} from "./workouts.schemas.ts";
import {
  changeWorkout,
  endWorkout,
  getWorkout,
  listPage,
  reopenWorkout,
  restoreWorkout,
  startWorkout,
  trashWorkout,
} from "./workouts.service.ts";

const tag = "Workouts";
const access = "active";
const path = "/api/v1/workouts";
const workoutPath = `${path}/:workoutId`;
const problems = {
  404: "There is no such workout of the asker's",
  412: "It is not as If-Match says",
};

export function workoutRoutes({ db }: { db: Db }): Operation[] {
  const ending = (
    verb: "finish" | "abort",
    id: string,
    summary: string,
    status: "completed" | "aborted",
  ) =>
    operation(
      "POST",
      `${workoutPath}/${verb}`,
      {
        id,
        tag,
        access,
        summary,
        params: WorkoutId,
        body: Ending,
        staleReason: "workouts.stale",
        answers: { 200: Workout },
        problems: { ...problems, 409: "It is over already" },
      },
      async ({ actor, params: { workoutId }, body: { endedAt }, precondition }) => {
        return okJson(await endWorkout(db, actor, workoutId, status, endedAt, precondition));
      },
    );
  return [
    operation(
      "POST",
      path,
      {
        id: "StartWorkout",
        tag,
        access,
        summary: "Start a workout, from a routine or free; or write a whole one that is over",
        body: NewWorkout,
        answers: { 201: Workout },
        problems: { 404: "The routine or an exercise is not there", 409: "The id is taken" },
      },
      async ({ actor, body }) => createdJson(await startWorkout(db, actor, body)),
    ),
    operation(
      "GET",
      path,
      {
        id: "ListWorkouts",
        tag,
        access,
        summary: "List one's workouts, the latest first",
        readsMayLag: true,
        query: ListWorkouts,
        answers: { 200: WorkoutPage },
      },
      async ({ actor, query, db }) => okJson(await listPage(db, actor, query)),
    ),
    operation(
      "GET",
      `${path}/trash`,
      {
        id: "ListTrashedWorkouts",
        tag,
        access,
        summary: "List what one has deleted in the last 30 days",
        readsMayLag: true,
        answers: { 200: Type.Array(WorkoutSummary, { maxItems: 100 }) },
      },
      async ({ actor, db }) => okJson(await listTrashJson(db, actor.userId)),
    ),
    operation(
      "GET",
      `${path}/calendar`,
      {
        id: "ListTrainingDays",
        tag,
        access,
        summary: "List the days on which one trained",
        readsMayLag: true,
        query: CalendarQuery,
        answers: { 200: Calendar },
      },
      async ({ actor, query, db }) =>
        okJson(await listDaysJson(db, actor.userId, query.from, query.to)),
    ),
    operation(
      "GET",
      workoutPath,
      {
        id: "GetWorkout",
        tag,
        access,
        summary: "Get a workout with its exercises and sets",
        readsMayLag: true,
        params: WorkoutId,
        answers: { 200: Workout },
        isTagged: true,
        problems: { 404: problems[404] },
      },
      async ({ actor, params: { workoutId }, request, db }) => {
        const reply = taggedReply(await getWorkout(db, actor, workoutId));
        return choose(reply, request.headers.get("if-none-match"));
      },
    ),
    operation(
      "PATCH",
      workoutPath,
      {
        id: "UpdateWorkout",
        tag,
        access,
        summary: "Change what is said of a workout as a whole",
        params: WorkoutId,
        body: WorkoutPatch,
        staleReason: "workouts.stale",
        answers: { 200: Workout },
        problems: { ...problems, 409: "It is in progress" },
      },
      async ({ actor, params: { workoutId }, body, precondition }) => {
        return okJson(await changeWorkout(db, actor, workoutId, body, precondition));
      },
    ),
    ending("finish", "FinishWorkout", "Finish a workout", "completed"),
    ending("abort", "AbortWorkout", "Break a workout off", "aborted"),
    operation(
      "POST",
      `${workoutPath}/reopen`,
      {
        id: "ReopenWorkout",
        tag,
        access,
        summary: "Take a workout up again",
        params: WorkoutId,
        body: Nothing,
        staleReason: "workouts.stale",
        answers: { 200: Workout },
        problems: { ...problems, 409: "It is in progress" },
      },
      async ({ actor, params: { workoutId }, precondition }) => {
        return okJson(await reopenWorkout(db, actor, workoutId, precondition));
      },
    ),
    operation(
      "POST",
      `${workoutPath}/restore`,
      {
        id: "RestoreWorkout",
        tag,
        access,
        summary: "Take a workout out of the trash",
        params: WorkoutId,
        body: Nothing,
        answers: { 200: Workout },
        problems: { 404: "It is not in the asker's trash" },
      },
      async ({ actor, params }) => okJson(await restoreWorkout(db, actor, params.workoutId)),
    ),
    operation(
      "DELETE",
      workoutPath,
      {
        id: "DeleteWorkout",
        tag,
        access,
        summary: "Put a workout into the trash, where it stays for 30 days",
        params: WorkoutId,
        staleReason: "workouts.stale",
        answers: { 204: null },
        problems,
      },
      async ({ actor, params, precondition }) => {
        await trashWorkout(db, actor, params.workoutId, precondition);
        return noContent();
      },
    ),
  ];
}
