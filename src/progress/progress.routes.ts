import { cursorPage, decodeCursor } from "../http/cursor.ts";
import { okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listHistory } from "./history.queries.ts";
import {
  ExerciseId,
  History,
  HistoryQuery,
  Records,
  RecordsQuery,
  Streaks,
  StreaksQuery,
  Volume,
  VolumeQuery,
} from "./progress.schemas.ts";
import { findRecordsJson } from "./records.queries.ts";
import { findStreaksJson } from "./streaks.queries.ts";
import { listVolumeJson } from "./volume.queries.ts";

const tag = "Progress";
const access = "active";

export function progressRoutes({ nowMs }: { nowMs: () => number }): Operation[] {
  return [
    operation(
      "GET",
      "/api/v1/progress/exercises/:exerciseId/records",
      {
        id: "GetRecords",
        tag,
        access,
        summary: "Get one's records in an exercise",
        readsMayLag: true,
        params: ExerciseId,
        query: RecordsQuery,
        answers: { 200: Records },
      },
      async ({ actor, params: { exerciseId }, query: { formula = "epley" }, db }) =>
        okJson(await findRecordsJson(db, actor.userId, exerciseId, formula)),
    ),
    operation(
      "GET",
      "/api/v1/progress/exercises/:exerciseId/history",
      {
        id: "ListExerciseHistory",
        tag,
        access,
        summary: "List one's workouts with an exercise, and what was done of it",
        readsMayLag: true,
        params: ExerciseId,
        query: HistoryQuery,
        answers: { 200: History },
      },
      async ({ actor, params: { exerciseId }, query, db }) => {
        const { cursor, pageSize = 20, formula = "epley" } = query;
        const options = { formula, after: decodeCursor(cursor) };
        const entries = await listHistory(db, actor.userId, exerciseId, options, pageSize + 1);
        return okJson(cursorPage(entries, pageSize));
      },
    ),
    operation(
      "GET",
      "/api/v1/progress/streaks",
      {
        id: "GetStreaks",
        tag,
        access,
        summary: "Get one's streaks of training days and weeks",
        readsMayLag: true,
        query: StreaksQuery,
        answers: { 200: Streaks },
      },
      async ({ actor, query: { timeZone, perWeek = 1 }, db }) =>
        okJson(
          await findStreaksJson(db, actor.userId, { now: new Date(nowMs()), timeZone, perWeek }),
        ),
    ),
    operation(
      "GET",
      "/api/v1/progress/volume",
      {
        id: "ListVolume",
        tag,
        access,
        summary: "List one's volume and hard sets by period and muscle group",
        readsMayLag: true,
        query: VolumeQuery,
        answers: { 200: Volume },
      },
      async ({ actor, query, db }) => okJson(await listVolumeJson(db, actor.userId, query)),
    ),
  ];
}
