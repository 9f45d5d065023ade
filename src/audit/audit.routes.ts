import { Type } from "@sinclair/typebox";
import type { Db } from "#db/client.ts";
import { Page, pageFields, pageWindow } from "../http/page.ts";
import { ok } from "../http/reply.ts";
import { choice, Instant, nullable, strict, Uuid } from "../http/shapes.ts";
import { type Operation, operation } from "../operations/operation.ts";
import { listAuditEvents } from "./audit.queries.ts";

const AuditEvent = strict({
  id: Uuid,
  at: Instant,
  event: Type.String({ maxLength: 60 }),
  actor: choice(["user", "operator", "nobody"]),
  actorUserId: nullable(Uuid),
  targetUserId: nullable(Uuid),
  loginId: nullable(Uuid),
  address: nullable(Type.String({ maxLength: 64 })),
  requestId: nullable(Type.String({ maxLength: 128 })),
  detail: nullable(Type.String({ maxLength: 500 })),
});

export const auditRoutes = ({ db }: { db: Db }): Operation[] => [
  operation(
    "GET",
    "/api/v1/audit",
    {
      id: "ListAuditEvents",
      tag: "Audit",
      summary: "List security events, newest first",
      access: "superuser",
      query: strict({
        ...pageFields,
        event: Type.Optional(
          Type.String({ maxLength: 60, description: "Only events of this name" }),
        ),
        userId: Type.Optional(
          Type.String({ ...Uuid, description: "Only events by or about this user" }),
        ),
      }),
      answers: { 200: Page(AuditEvent) },
    },
    async ({ query }) => {
      const window = pageWindow(query);
      return ok({ ...window, ...(await listAuditEvents(db, query, window)) });
    },
  ),
];
