import type { Db } from "#db/client.ts";
import { createdJson, noContent, okJson } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listGrantsJson } from "./grants.queries.ts";
import { Grant, GrantId, GrantPatch, Grants, ListGrants, NewGrant } from "./grants.schemas.ts";
import { changeGrant, grantAccess, revokeGrant } from "./grants.service.ts";

const tag = "Sharing";
const access = "active";
const path = "/api/v1/grants";

export function grantRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "POST",
      path,
      {
        id: "CreateGrant",
        tag,
        access,
        summary: "Let somebody read or write a routine or plan of one's own",
        body: NewGrant,
        answers: { 201: Grant },
        problems: {
          404: "It is not one's own, or nobody has that address",
          409: "It is shared with them already",
        },
      },
      async ({ actor, body }) => createdJson(await grantAccess(db, actor, body)),
    ),
    operation(
      "GET",
      path,
      {
        id: "ListGrants",
        tag,
        access,
        summary: "List grants, given or received",
        query: ListGrants,
        answers: { 200: Grants },
      },
      async ({ actor, query }) =>
        okJson(await listGrantsJson(db, actor.userId, query.direction ?? "given")),
    ),
    operation(
      "PATCH",
      `${path}/:grantId`,
      {
        id: "UpdateGrant",
        isDetached: true,
        tag,
        access,
        summary: "Change what a grant allows",
        params: GrantId,
        body: GrantPatch,
        answers: { 200: Grant },
        problems: { 404: "There is no such grant of one's own" },
      },
      async ({ actor, params, body }) =>
        okJson(await changeGrant(db, actor, params.grantId, body.access)),
    ),
    operation(
      "DELETE",
      `${path}/:grantId`,
      {
        id: "DeleteGrant",
        isDetached: true,
        tag,
        access,
        summary: "End a grant that one gave or was given",
        params: GrantId,
        answers: { 204: null },
        problems: { 404: "There is no such grant of or to one" },
      },
      async ({ actor, params }) => {
        await revokeGrant(db, actor, params.grantId);
        return noContent();
      },
    ),
  ];
}
