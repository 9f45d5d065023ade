CREATE TABLE "changes" (
	"user_id" uuid NOT NULL,
	"kind" text NOT NULL,
	"entity_id" uuid NOT NULL,
	"place" bigint NOT NULL,
	CONSTRAINT "changes_pkey" PRIMARY KEY("user_id","kind","entity_id"),
	CONSTRAINT "changes_user_place_unique" UNIQUE("user_id","place"),
	CONSTRAINT "changes_kind_check" CHECK ("changes"."kind" in ('exercise', 'routine', 'plan', 'workout'))
);
--> statement-breakpoint
ALTER TABLE "changes" ADD CONSTRAINT "changes_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
create sequence changes_place owned by changes.place;
--> statement-breakpoint
create function record_change() returns trigger language plpgsql as $$
declare
  thing record;
  whose uuid;
begin
  if tg_op = 'DELETE' then thing := old; else thing := new; end if;
  if tg_argv[0] = 'workout' then whose := thing.user_id; else whose := thing.owner_id; end if;
  -- The lock makes a user's commits wait for one another from here on: places are in their order, and a reader who has
  -- seen a place has seen all before it. Of a user who is being deleted nothing is kept.
  perform from users where id = whose for no key update;
  if found then
    insert into changes (user_id, kind, entity_id, place) values (whose, tg_argv[0], thing.id, nextval('changes_place'))
    on conflict on constraint changes_pkey do update set place = excluded.place;
  end if;
  return null;
end
$$;
--> statement-breakpoint
-- Deferred: a transaction has every other lock that it needs before it asks for the user's.
create constraint trigger exercises_change after insert on exercises deferrable initially deferred
  for each row when (new.owner_id is not null) execute function record_change('exercise');
--> statement-breakpoint
create constraint trigger exercises_version_change after update on exercises deferrable initially deferred
  for each row when (new.owner_id is not null and new.version <> old.version) execute function record_change('exercise');
--> statement-breakpoint
create constraint trigger exercises_end after delete on exercises deferrable initially deferred
  for each row when (old.owner_id is not null) execute function record_change('exercise');
--> statement-breakpoint
create constraint trigger routines_change after insert or delete on routines deferrable initially deferred
  for each row execute function record_change('routine');
--> statement-breakpoint
create constraint trigger routines_version_change after update on routines deferrable initially deferred
  for each row when (new.version <> old.version) execute function record_change('routine');
--> statement-breakpoint
create constraint trigger plans_change after insert or delete on plans deferrable initially deferred
  for each row execute function record_change('plan');
--> statement-breakpoint
create constraint trigger plans_version_change after update on plans deferrable initially deferred
  for each row when (new.version <> old.version) execute function record_change('plan');
--> statement-breakpoint
create constraint trigger workouts_change after insert or delete on workouts deferrable initially deferred
  for each row execute function record_change('workout');
--> statement-breakpoint
create constraint trigger workouts_version_change after update on workouts deferrable initially deferred
  for each row when (new.version <> old.version) execute function record_change('workout');
--> statement-breakpoint
-- What there is already, oldest first.
insert into changes (user_id, kind, entity_id, place)
select owner_id, kind, id, nextval('changes_place') from (
  select owner_id, 'exercise' as kind, id from exercises where owner_id is not null
  union all select owner_id, 'routine', id from routines
  union all select owner_id, 'plan', id from plans
  union all select user_id, 'workout', id from workouts
  order by 3
) as everything;
