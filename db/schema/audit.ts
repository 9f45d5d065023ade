import { sql } from "drizzle-orm";
import { check, index, pgTable, text, timestamp, uuid } from "drizzle-orm/pg-core";

/**
 * Security events. A trigger prevents changes and deletions. Their ids may refer to deleted rows.
 */
export const auditEvents = pgTable(
  "audit_events",
  {
    id: uuid().primaryKey().default(sql`uuidv7()`),
    at: timestamp({ withTimezone: true }).notNull().default(sql`clock_timestamp()`),
    event: text().notNull(),
    // A signed-in user, an operator at the command line, or an unknown client.
    actor: text().notNull(),
    actorUserId: uuid(),
    targetUserId: uuid(),
    loginId: uuid(),
    address: text(),
    requestId: text(),
    detail: text(),
  },
  (event) => [
    index("audit_events_target_user_id_index").on(event.targetUserId, event.id),
    index("audit_events_event_index").on(event.event, event.id),
    check(
      "audit_events_event_form_check",
      sql`${event.event} ~ '^[a-z_]+\\.[a-z_]+$' and char_length(${event.event}) <= 60`,
    ),
    check("audit_events_actor_check", sql`${event.actor} in ('user', 'operator', 'nobody')`),
    check(
      "audit_events_actor_user_check",
      sql`(${event.actor} = 'user') = (${event.actorUserId} is not null)`,
    ),
    check("audit_events_address_length_check", sql`char_length(${event.address}) <= 64`),
    check("audit_events_request_id_length_check", sql`char_length(${event.requestId}) <= 128`),
    check("audit_events_detail_length_check", sql`char_length(${event.detail}) <= 500`),
  ],
);
