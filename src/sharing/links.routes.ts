import type { Db } from "#db/client.ts";
import { created, noContent, okJson, secret } from "../http/reply.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listLinksJson } from "./links.queries.ts";
import { CreatedLink, Linked, LinkId, Links, LinkToken, NewLink } from "./links.schemas.ts";
import { createLink, getLinked, revokeLink } from "./links.service.ts";

const tag = "Sharing";
const access = "active";
const path = "/api/v1/links";
const linkedPath = "/api/v1/linked";

export function linkRoutes({ db }: { db: Db }): Operation[] {
  return [
    operation(
      "POST",
      path,
      {
        id: "CreateLink",
        tag,
        access,
        summary:
          "Let anyone who has the link read a routine or plan of one's own. Sent again, makes another",
        body: NewLink,
        answers: { 201: CreatedLink },
        problems: { 404: "It is not one's own" },
      },
      async ({ actor, body }) => {
        const link = await createLink(db, actor, body);
        return secret(created({ ...link, path: `${linkedPath}/${link.token}` }));
      },
    ),
    operation(
      "GET",
      path,
      { id: "ListLinks", tag, access, summary: "List one's links", answers: { 200: Links } },
      async ({ actor }) => okJson(await listLinksJson(db, actor.userId)),
    ),
    operation(
      "DELETE",
      `${path}/:linkId`,
      {
        id: "DeleteLink",
        isDetached: true,
        tag,
        access,
        summary: "End a link",
        params: LinkId,
        answers: { 204: null },
        problems: { 404: "There is no such link of one's own" },
      },
      async ({ actor, params }) => {
        await revokeLink(db, actor, params.linkId);
        return noContent();
      },
    ),
    operation(
      "GET",
      `${linkedPath}/:token`,
      {
        id: "GetLinked",
        tag,
        access: "anyone",
        summary: "Read what a link shows: a routine, or a plan with its routines",
        params: LinkToken,
        answers: { 200: Linked },
        problems: { 404: "There is no such link, or no longer" },
      },
      async ({ params }) => okJson(await getLinked(db, params.token)),
    ),
  ];
}
