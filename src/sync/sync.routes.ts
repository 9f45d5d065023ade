import type { Db } from "#db/client.ts";
import type { Invalidations } from "../cache/invalidations.ts";
import { okJson, secret } from "../http/reply.ts";
import type { Log } from "../log/log.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listChangesPage } from "./changes.service.ts";
import { Changes, ChangesQuery, SyncAnswer, SyncBatch, type SyncItem } from "./sync.schemas.ts";
import { syncBatch } from "./sync.service.ts";

const tag = "Sync";
const access = "active";

export function syncRoutes(deps: { db: Db; invalidations: Invalidations; log: Log }): Operation[] {
  return [
    operation(
      "GET",
      "/api/v1/changes",
      {
        id: "ListChanges",
        tag,
        access,
        summary: "List what changed of one's exercises, routines, plans and workouts",
        readsMayLag: true,
        query: ChangesQuery,
        answers: { 200: Changes },
        problems: {
          410: "The cursor is too old, or of another state of the database: read from the start",
        },
      },
      async ({ actor, query, db }) =>
        okJson(await listChangesPage({ db, primary: deps.db }, actor, query)),
    ),
    operation(
      "POST",
      "/api/v1/sync",
      {
        id: "Sync",
        tag,
        access,
        summary: "Bring the changes that a device made while it was offline",
        body: SyncBatch,
        answers: { 200: SyncAnswer },
      },
      async ({ actor, body, requestId }) => {
        const onFault = (error: unknown, { kind, id }: SyncItem) =>
          deps.log.error({ err: error, requestId, kind, id }, "a change of a batch failed");
        const { json, showsStored } = await syncBatch({ ...deps, onFault }, actor, body.changes);
        // Not stored under an Idempotency-Key: it may show entities that the user may no longer read
        // when they retry.
        return showsStored ? secret(okJson(json)) : okJson(json);
      },
    ),
  ];
}
