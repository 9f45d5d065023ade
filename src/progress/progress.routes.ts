import type { Db } from "#db/client.ts";
import { type Operation, operation } from "../http/operation.ts";
import { okJson } from "../http/reply.ts";
import { findRecordsJson, listVolumeJson } from "./progress.queries.ts";
import { ExerciseId, Records, RecordsQuestion, Volume, VolumeQuestion } from "./progress.schemas.ts";

const tag = "Progress";
const access = "active";

export function progressRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "GET",
      "/api/v1/progress/exercises/:exerciseId/records",
      {
        id: "GetRecords",
        tag,
        access,
        summary: "Get one's records in an exercise",
        params: ExerciseId,
        query: RecordsQuestion,
        answers: { 200: Records },
      },
      async ({ actor, params, query }) =>
        okJson(await findRecordsJson(db, actor.userId, params.exerciseId, query.formula ?? "epley")),
    ),
    operation(
      "GET",
      "/api/v1/progress/volume",
      {
        id: "ListVolume",
        tag,
        access,
        summary: "List one's volume and hard sets by period and muscle group",
        query: VolumeQuestion,
        answers: { 200: Volume },
      },
      async ({ actor, query }) => okJson(await listVolumeJson(db, actor.userId, query)),
    ),
  ];
}
