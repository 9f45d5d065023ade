-- Unlogged: no fsync for a guess; a crash empties it, and the proxy limits addresses as well.
CREATE UNLOGGED TABLE "attempts" (
	"key" text PRIMARY KEY NOT NULL,
	"count" integer NOT NULL,
	"forgotten_at" timestamp with time zone NOT NULL,
	"blocked_until" timestamp with time zone NOT NULL,
	CONSTRAINT "attempts_key_length_check" CHECK (char_length("attempts"."key") <= 200)
);
--> statement-breakpoint
CREATE TABLE "audit_events" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"at" timestamp with time zone DEFAULT clock_timestamp() NOT NULL,
	"event" text NOT NULL,
	"actor" text NOT NULL,
	"actor_user_id" uuid,
	"target_user_id" uuid,
	"login_id" uuid,
	"address" text,
	"request_id" text,
	"detail" text,
	CONSTRAINT "audit_events_event_form_check" CHECK ("audit_events"."event" ~ '^[a-z_]+\.[a-z_]+$' and char_length("audit_events"."event") <= 60),
	CONSTRAINT "audit_events_actor_check" CHECK ("audit_events"."actor" in ('user', 'operator', 'nobody')),
	CONSTRAINT "audit_events_actor_user_check" CHECK (("audit_events"."actor" = 'user') = ("audit_events"."actor_user_id" is not null)),
	CONSTRAINT "audit_events_address_length_check" CHECK (char_length("audit_events"."address") <= 64),
	CONSTRAINT "audit_events_request_id_length_check" CHECK (char_length("audit_events"."request_id") <= 128),
	CONSTRAINT "audit_events_detail_length_check" CHECK (char_length("audit_events"."detail") <= 500)
);
--> statement-breakpoint
CREATE INDEX "attempts_forgotten_at_index" ON "attempts" USING btree ("forgotten_at");--> statement-breakpoint
CREATE INDEX "audit_events_target_user_id_index" ON "audit_events" USING btree ("target_user_id","id");--> statement-breakpoint
CREATE INDEX "audit_events_event_index" ON "audit_events" USING btree ("event","id");--> statement-breakpoint
-- Append-only for everyone, the table's owner included.
create function refuse_audit_change() returns trigger language plpgsql as $$
begin
  raise exception 'audit events are never changed' using errcode = 'insufficient_privilege';
end
$$;
--> statement-breakpoint
create trigger audit_events_append_only before update or delete or truncate on audit_events
  for each statement execute function refuse_audit_change();
--> statement-breakpoint
-- Finding people by part of a name or address.
create index users_search_index on users using gin ((search_form(coalesce(name, '') || ' ' || email)) gin_trgm_ops);
--> statement-breakpoint
create index users_created_at_index on users (created_at, id);
