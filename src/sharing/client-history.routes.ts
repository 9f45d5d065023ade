import type { Db } from "#db/client.ts";
import { cursorPage, decodeCursor } from "../http/cursor.ts";
import { choose, okJson, taggedReply } from "../http/reply.ts";
import { strict, Uuid } from "../http/shapes.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listHistory } from "../progress/history.queries.ts";
import {
  History,
  HistoryQuery,
  Records,
  RecordsQuery,
  Streaks,
  StreaksQuery,
  Volume,
  VolumeQuery,
} from "../progress/progress.schemas.ts";
import { findRecordsJson } from "../progress/records.queries.ts";
import { findStreaksJson } from "../progress/streaks.queries.ts";
import { listVolumeJson } from "../progress/volume.queries.ts";
import { ListWorkouts, Workout, WorkoutPage } from "../workouts/workouts.schemas.ts";
import {
  getClientWorkout,
  listClientWorkouts,
  requireReadableClient,
} from "./client-history.service.ts";
import { ClientId } from "./clients.schemas.ts";

const tag = "Trainers";
const access = "trainer";
const path = "/api/v1/clients/:clientId";
const problems = { 404: "There is no such client who lets the asker read their history" };

/** Operations by which trainers read the training of their clients. */
export function clientHistoryRoutes({ db, nowMs }: { db: Db; nowMs: () => number }): Operation[] {
  return [
    operation(
      "GET",
      `${path}/workouts`,
      {
        id: "ListClientWorkouts",
        tag,
        access,
        summary: "List a client's workouts, the latest first",
        params: ClientId,
        query: ListWorkouts,
        answers: { 200: WorkoutPage },
        problems,
      },
      async ({ actor, params, query }) =>
        okJson(await listClientWorkouts(db, actor, params.clientId, query)),
    ),
    operation(
      "GET",
      `${path}/workouts/:workoutId`,
      {
        id: "GetClientWorkout",
        tag,
        access,
        summary: "Get a client's workout with its exercises and sets",
        params: strict({ clientId: Uuid, workoutId: Uuid }),
        answers: { 200: Workout },
        isTagged: true,
        problems: { 404: `${problems[404]}, or no such workout of theirs` },
      },
      async ({ actor, params, request }) =>
        choose(
          taggedReply(await getClientWorkout(db, actor, params.clientId, params.workoutId)),
          request.headers.get("if-none-match"),
        ),
    ),
    operation(
      "GET",
      `${path}/progress/exercises/:exerciseId/records`,
      {
        id: "GetClientRecords",
        tag,
        access,
        summary: "Get a client's records in an exercise",
        params: strict({ clientId: Uuid, exerciseId: Uuid }),
        query: RecordsQuery,
        answers: { 200: Records },
        problems,
      },
      async ({ actor, params, query }) => {
        const userId = await requireReadableClient(db, actor, params.clientId);
        return okJson(
          await findRecordsJson(db, userId, params.exerciseId, query.formula ?? "epley"),
        );
      },
    ),
    operation(
      "GET",
      `${path}/progress/exercises/:exerciseId/history`,
      {
        id: "ListClientExerciseHistory",
        tag,
        access,
        summary: "List a client's workouts with an exercise, and what was done of it",
        params: strict({ clientId: Uuid, exerciseId: Uuid }),
        query: HistoryQuery,
        answers: { 200: History },
        problems,
      },
      async ({ actor, params, query: { cursor, pageSize = 20, formula = "epley" } }) => {
        const from = { formula, after: decodeCursor(cursor) };
        const userId = await requireReadableClient(db, actor, params.clientId);
        return okJson(
          cursorPage(
            await listHistory(db, userId, params.exerciseId, from, pageSize + 1),
            pageSize,
          ),
        );
      },
    ),
    operation(
      "GET",
      `${path}/progress/streaks`,
      {
        id: "GetClientStreaks",
        tag,
        access,
        summary: "Get a client's streaks of training days and weeks",
        params: ClientId,
        query: StreaksQuery,
        answers: { 200: Streaks },
        problems,
      },
      async ({ actor, params, query: { timeZone, perWeek = 1 } }) => {
        const userId = await requireReadableClient(db, actor, params.clientId);
        return okJson(
          await findStreaksJson(db, userId, { now: new Date(nowMs()), timeZone, perWeek }),
        );
      },
    ),
    operation(
      "GET",
      `${path}/progress/volume`,
      {
        id: "ListClientVolume",
        tag,
        access,
        summary: "List a client's volume and hard sets by period and muscle group",
        params: ClientId,
        query: VolumeQuery,
        answers: { 200: Volume },
        problems,
      },
      async ({ actor, params, query }) =>
        okJson(
          await listVolumeJson(db, await requireReadableClient(db, actor, params.clientId), query),
        ),
    ),
  ];
}
