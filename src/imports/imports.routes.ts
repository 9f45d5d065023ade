import type { Db } from "#db/client.ts";
import type { CatalogCache } from "../cache/catalog-cache.ts";
import { ok, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listImportsJson } from "./imports.queries.ts";
import {
  ImportId,
  ImportNames,
  ImportNamesPatch,
  ImportQuery,
  ImportReport,
  Imports,
  TRAINING_FILE,
  Undone,
} from "./imports.schemas.ts";
import { chooseNames, importTraining, undoImport } from "./imports.service.ts";
import { listChoicesJson } from "./names.queries.ts";

const tag = "Imports";
const access = "active";
const path = "/api/v1/imports";

export function importRoutes({
  db,
  catalogCache,
}: {
  db: Db;
  catalogCache: CatalogCache;
}): Operation[] {
  return [
    operation(
      "POST",
      path,
      {
        id: "ImportTraining",
        tag,
        access,
        summary: "Read in a file of training that Strong, Hevy or FitNotes exported",
        query: ImportQuery,
        file: TRAINING_FILE,
        answers: { 200: ImportReport },
        problems: { 422: "The file is none that we know, or more has to be said of it" },
      },
      async ({ actor, query, file }) =>
        okJson(await importTraining({ db, catalogCache }, actor, file, query)),
    ),
    operation(
      "GET",
      path,
      { id: "ListImports", tag, access, summary: "List one's imports", answers: { 200: Imports } },
      async ({ actor }) => okJson(await listImportsJson(db, actor.userId)),
    ),
    operation(
      "POST",
      `${path}/:importId/undo`,
      {
        id: "UndoImport",
        tag,
        access,
        summary: "Put the workouts of an import into the trash",
        params: ImportId,
        answers: { 200: Undone },
        problems: { 404: "There is no such import of the asker's, or it was taken back before" },
      },
      async ({ actor, params }) => ok(await undoImport(db, actor, params.importId)),
    ),
    operation(
      "GET",
      `${path}/names`,
      {
        id: "ListImportNames",
        tag,
        access,
        summary: "List what names in files mean",
        answers: { 200: ImportNames },
      },
      async ({ actor }) => okJson(await listChoicesJson(db, actor.userId)),
    ),
    operation(
      "PATCH",
      `${path}/names`,
      {
        id: "ChooseImportNames",
        tag,
        access,
        summary: "Say which exercises are meant by names in files",
        body: ImportNamesPatch,
        answers: { 200: ImportNames },
        problems: { 404: "An exercise is not there" },
      },
      async ({ actor, body }) => okJson(await chooseNames(db, actor, body)),
    ),
  ];
}
