-- Whatever changes how an exercise, routine, plan or workout looks on the wire raises its version, and so has its place in
-- the feed (0006), also when it is something else that was changed. updated_at stays: it says when the thing itself was.
create function raise_version() returns trigger language plpgsql as $$
begin
  new.version := old.version + 1;
  -- An import is undone for workouts that were not edited: this is no edit.
  if tg_table_name = 'workouts' then
    if old.import_id is not null and old.version = coalesce(old.import_version, 1) then
      new.import_version := new.version;
    end if;
  end if;
  return new;
end
$$;
--> statement-breakpoint
-- A plan, a routine or a trainer is gone that a workout or plan referred to.
create trigger workouts_reference_change before update of plan_id, routine_id on workouts for each row
  when (new.version = old.version and (new.plan_id, new.routine_id) is distinct from (old.plan_id, old.routine_id))
  execute function raise_version();
--> statement-breakpoint
create trigger plans_reference_change before update of assigned_from_plan_id, assigned_by on plans for each row
  when (new.version = old.version
    and (new.assigned_from_plan_id, new.assigned_by) is distinct from (old.assigned_from_plan_id, old.assigned_by))
  execute function raise_version();
--> statement-breakpoint
-- An exercise is gone that a part of a workout or routine referred to. Only what a foreign key does is within a trigger:
-- who changes a part otherwise raises the version with it.
create function raise_version_of_parent() returns trigger language plpgsql as $$
begin
  if tg_argv[0] = 'workout' then
    update workouts set version = version + 1,
      import_version = case when import_id is not null and version = coalesce(import_version, 1) then version + 1
        else import_version end
    where id = new.workout_id;
  else
    update routines set version = version + 1 where id = new.routine_id;
  end if;
  return null;
end
$$;
--> statement-breakpoint
create trigger workout_exercises_reference_change after update of exercise_id on workout_exercises for each row
  when (new.exercise_id is null and old.exercise_id is not null and pg_trigger_depth() > 0)
  execute function raise_version_of_parent('workout');
--> statement-breakpoint
create trigger routine_exercises_reference_change after update of exercise_id on routine_exercises for each row
  when (new.exercise_id is null and old.exercise_id is not null and pg_trigger_depth() > 0)
  execute function raise_version_of_parent('routine');
--> statement-breakpoint
-- Plans show the names of their routines. Who puts a routine into a plan holds its name until the plan is committed, so
-- that a renaming finds every plan that shows it.
create function raise_versions_of_plans() returns trigger language plpgsql as $$
begin
  update plans set version = version + 1 where id in (
    select id from plans where id in (select plan_id from plan_routines where routine_id = new.id)
    order by id for no key update);
  return null;
end
$$;
--> statement-breakpoint
create trigger routines_name_change after update of name on routines for each row when (new.name <> old.name)
  execute function raise_versions_of_plans();
--> statement-breakpoint
create function hold_routine_name() returns trigger language plpgsql as $$
begin
  perform from routines where id = new.routine_id for share;
  return new;
end
$$;
--> statement-breakpoint
create trigger plan_routines_hold_name before insert or update of routine_id on plan_routines for each row
  execute function hold_routine_name();
--> statement-breakpoint
-- A new thing under the id of one that was deleted goes on from its version: an If-Match of the old one is not that of the
-- new one. How far those had come that are gone already is not known; so far none can have.
ALTER TABLE "changes" ADD COLUMN "version" integer DEFAULT 1000000 NOT NULL;--> statement-breakpoint
update changes set version = thing.version from (
  select 'exercise' as kind, id, version from exercises union all select 'routine', id, version from routines
  union all select 'plan', id, version from plans union all select 'workout', id, version from workouts
) as thing where thing.kind = changes.kind and thing.id = entity_id;--> statement-breakpoint
ALTER TABLE "changes" ALTER COLUMN "version" DROP DEFAULT;--> statement-breakpoint
create function go_on_from_version() returns trigger language plpgsql as $$
declare
  whose uuid;
  last_version integer;
begin
  if tg_argv[0] = 'workout' then whose := new.user_id; else whose := new.owner_id; end if;
  select version into last_version from changes
  where user_id = whose and kind = tg_argv[0] and entity_id = new.id;
  if found then new.version := greatest(new.version, last_version + 1); end if;
  return new;
end
$$;
--> statement-breakpoint
create trigger exercises_first_version before insert on exercises for each row when (new.owner_id is not null)
  execute function go_on_from_version('exercise');
--> statement-breakpoint
create trigger routines_first_version before insert on routines for each row execute function go_on_from_version('routine');
--> statement-breakpoint
create trigger plans_first_version before insert on plans for each row execute function go_on_from_version('plan');
--> statement-breakpoint
create trigger workouts_first_version before insert on workouts for each row execute function go_on_from_version('workout');
--> statement-breakpoint
-- As before, and with the version.
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
    insert into changes (user_id, kind, entity_id, place, gone_at, version)
    values (whose, tg_argv[0], thing.id, nextval('changes_place'), gone, thing.version)
    on conflict on constraint changes_pkey do update
      set place = excluded.place, gone_at = excluded.gone_at, version = excluded.version;
    here := feed_origin();
    update feed_generation set id = uuidv7(), origin = here, began_at = clock_timestamp() where origin <> here;
  end if;
  return null;
end
$$;
