-- When a thing ceased to be. Its row is a tombstone from then on, and is deleted half a year later.
ALTER TABLE "changes" ADD COLUMN "gone_at" timestamp with time zone;--> statement-breakpoint
update changes set gone_at = now() where case kind
  when 'exercise' then not exists (select from exercises where id = entity_id)
  when 'routine' then not exists (select from routines where id = entity_id)
  when 'plan' then not exists (select from plans where id = entity_id)
  else not exists (select from workouts where id = entity_id) end;--> statement-breakpoint
CREATE INDEX "changes_gone_at_index" ON "changes" USING btree ("gone_at") WHERE "changes"."gone_at" is not null;--> statement-breakpoint
CREATE TABLE "feed_generation" (
	"is_only" boolean PRIMARY KEY DEFAULT true NOT NULL,
	"id" uuid NOT NULL,
	"origin" text NOT NULL,
	"began_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "feed_generation_is_only_check" CHECK ("feed_generation"."is_only")
);
--> statement-breakpoint
-- Where the history of this database is written: which cluster, which database in it, which table, and on which timeline.
-- A restored backup differs in one of the first three, and a promoted replica in the last. Null on a replica, which writes
-- no history. The cluster's identifier is in a file, and never changes during a session: each session reads it once.
create function feed_origin() returns text language plpgsql as $$
declare
  cluster text := current_setting('irontrack.cluster', true);
begin
  if pg_is_in_recovery() then return null; end if;
  if coalesce(cluster, '') = '' then
    select system_identifier into cluster from pg_control_system();
    perform set_config('irontrack.cluster', cluster, false);
  end if;
  return concat_ws('/', cluster, substring(pg_relation_filepath('changes') from '(\d+)/\d+$'), 'changes'::regclass::oid,
    left(pg_walfile_name(pg_current_wal_insert_lsn()), 8));
end
$$;--> statement-breakpoint
-- The first generation has the id of zeros: cursors from before there were generations belong to it.
insert into feed_generation (id, origin) values ('00000000-0000-0000-0000-000000000000', feed_origin());--> statement-breakpoint
-- As before, and with a new generation when the history is written elsewhere than so far.
create or replace function record_change() returns trigger language plpgsql as $$
declare
  thing record;
  whose uuid;
  gone timestamptz;
  here text;
begin
  if tg_op = 'DELETE' then
    thing := old;
    gone := clock_timestamp();
  else
    thing := new;
  end if;
  if tg_argv[0] = 'workout' then whose := thing.user_id; else whose := thing.owner_id; end if;
  -- The lock makes a user's commits wait for one another from here on: places are in their order, and a reader who has
  -- seen a place has seen all before it. Of a user who is being deleted nothing is kept.
  perform from users where id = whose for no key update;
  if found then
    insert into changes (user_id, kind, entity_id, place, gone_at)
    values (whose, tg_argv[0], thing.id, nextval('changes_place'), gone)
    on conflict on constraint changes_pkey do update set place = excluded.place, gone_at = excluded.gone_at;
    here := feed_origin();
    update feed_generation set id = uuidv7(), origin = here, began_at = clock_timestamp() where origin <> here;
  end if;
  return null;
end
$$;
