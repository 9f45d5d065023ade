import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { PageWindow } from "../http/page.ts";
import type { Origin } from "./origin.ts";

export type SecurityEvent =
  | "access.signed_up"
  | "access.signed_in"
  | "access.sign_in_failed"
  | "access.refresh_reused"
  | "access.logged_out"
  | "access.login_revoked"
  | "access.logins_revoked"
  | "access.password_changed"
  | "users.created"
  | "users.updated"
  | "users.activated"
  | "users.deactivated"
  | "users.deleted"
  | "users.exported"
  | "users.imported"
  | "users.password_reset"
  | "users.role_assigned"
  | "users.role_revoked"
  | "tokens.key_rotated";

type Details = { targetUserId?: string | null; loginId?: string | null; detail?: string };

/** Appends an event. Call it in the transaction of the change, so that both commit or none. */
export async function insertAuditEvent(
  db: Db,
  origin: Origin,
  event: SecurityEvent,
  details: Details = {},
): Promise<void> {
  await db.sql`
    insert into audit_events
      (event, actor, actor_user_id, target_user_id, login_id, address, request_id, detail)
    values (${event}, ${origin.actor}, ${origin.userId}, ${details.targetUserId ?? null},
      ${details.loginId ?? null}, ${origin.address}, ${origin.requestId},
      ${details.detail?.slice(0, 500) ?? null})`;
}

export type AuditEvent = {
  id: string;
  at: string;
  event: SecurityEvent;
  actor: Origin["actor"];
  actorUserId: string | null;
  targetUserId: string | null;
  loginId: string | null;
  address: string | null;
  requestId: string | null;
  detail: string | null;
};

export type AuditFilter = { event?: string; userId?: string };

/** One page of the events that match, newest first, and the total. `userId` is actor or target. */
export async function listAuditEvents(
  { sql }: Db,
  { event, userId }: AuditFilter,
  { limit, offset }: PageWindow,
): Promise<{ items: AuditEvent[]; total: number }> {
  const ofEvent = event ? sql`and event = ${event}` : sql``;
  const ofUser = userId
    ? sql`and (target_user_id = ${userId} or actor_user_id = ${userId})`
    : sql``;
  const [page] = await sql<{ total: number; items: AuditEvent[] }[]>`
    with matching as (select id from audit_events where true ${ofEvent} ${ofUser}),
    page as (select id from matching order by id desc limit ${limit} offset ${offset})
    select (select count(*) from matching)::int as total, coalesce((
      select json_agg(row_to_json(events) order by events.id desc) from (
        select id, ${instant(sql, "at")} as at, event, actor,
          actor_user_id as "actorUserId", target_user_id as "targetUserId", login_id as "loginId",
          address, request_id as "requestId", detail
        from audit_events join page using (id)
      ) as events
    ), '[]') as items`;
  return page as { total: number; items: AuditEvent[] };
}
