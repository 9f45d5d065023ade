import type { Db } from "#db/client.ts";
import type { Invalidations } from "../cache/invalidations.ts";
import { ok } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { ARCHIVE_FILE, Archive, ArchiveReport } from "./archive.schemas.ts";
import { exportArchive, importArchive } from "./archive.service.ts";

const tag = "Archive";
const access = "active";
const path = "/api/v1/archive";
const HEADERS = {
  "content-type": ARCHIVE_FILE.type,
  "content-disposition": 'attachment; filename="irontrack.zip"',
  "cache-control": "no-store",
};

export function archiveRoutes(deps: { db: Db; invalidations: Invalidations }): Operation[] {
  return [
    operation(
      "GET",
      path,
      {
        id: "ExportArchive",
        tag,
        access,
        summary: "Export one's exercises, routines, plans and workouts",
        readsMayLag: true,
        answers: { 200: Archive },
        answerMedia: ARCHIVE_FILE.type,
      },
      async ({ actor, db }) => ({
        status: 200,
        body: await exportArchive(db, actor.userId),
        headers: HEADERS,
      }),
    ),
    operation(
      "POST",
      path,
      {
        id: "ImportArchive",
        tag,
        access,
        summary: "Import an archive into an empty account",
        file: ARCHIVE_FILE,
        answers: { 200: ArchiveReport },
        problems: {
          409: "The account is not empty",
          422: "The archive is damaged, or does not fit",
        },
      },
      async ({ actor, file }) => ok(await importArchive(deps, actor.userId, file)),
    ),
  ];
}
