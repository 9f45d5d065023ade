-- Each name on a line of its own, so that a whole name can be told from a part of one; and all of it once more without
-- hyphens: people type pullup. array_to_string is only stable because of types that are not text.
create function exercise_search_text(name text, aliases text[]) returns text
  language sql immutable parallel safe
  return (
    select E'\n' || spelt || E'\n' || replace(spelt, '-', '') || E'\n'
    from (select search_form(array_to_string(name || aliases, E'\n')) as spelt) as form
  );--> statement-breakpoint
CREATE TABLE "exercise_counts" (
	"owner_id" uuid,
	"count" integer NOT NULL,
	CONSTRAINT "exercise_counts_owner_id_unique" UNIQUE NULLS NOT DISTINCT("owner_id")
);
--> statement-breakpoint
CREATE TABLE "seed_removals" (
	"slug" text PRIMARY KEY NOT NULL
);
--> statement-breakpoint
DROP INDEX "exercises_search_index";--> statement-breakpoint
ALTER TABLE "exercises" drop column "search_text";--> statement-breakpoint
ALTER TABLE "exercises" ADD COLUMN "search_text" text GENERATED ALWAYS AS (exercise_search_text(name, aliases)) STORED NOT NULL;--> statement-breakpoint
ALTER TABLE "exercises" ADD COLUMN "primary_muscle_ids" smallint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "exercises" ADD COLUMN "secondary_muscle_ids" smallint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "exercises" ADD COLUMN "equipment_ids" smallint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
ALTER TABLE "exercises" ADD COLUMN "tag_ids" smallint[] DEFAULT '{}' NOT NULL;--> statement-breakpoint
CREATE INDEX "exercises_system_search_index" ON "exercises" USING gin ("search_text" gin_trgm_ops) WITH (fastupdate=false) WHERE "exercises"."owner_id" is null;--> statement-breakpoint
update exercises set
  primary_muscle_ids = array(select muscle_group_id from exercise_primary_muscles where exercise_id = id order by 1),
  secondary_muscle_ids = array(select muscle_group_id from exercise_secondary_muscles where exercise_id = id order by 1),
  equipment_ids = array(select equipment_id from exercise_equipment where exercise_id = id order by 1),
  tag_ids = array(select exercise_tag_id from exercise_tag_links where exercise_id = id order by 1);--> statement-breakpoint
insert into exercise_counts (owner_id, count) select owner_id, count(*) from exercises group by owner_id;--> statement-breakpoint
-- Counting the catalog for every page cost more than reading the page. In the order of the owners, so that two who write
-- for many people at once do not wait for each other in a circle.
create function count_exercises() returns trigger language plpgsql as $$
begin
  if tg_op = 'INSERT' then
    insert into exercise_counts as known (owner_id, count)
    select owner_id, count(*) from written group by owner_id order by owner_id
    on conflict (owner_id) do update set count = known.count + excluded.count;
  else
    update exercise_counts as known set count = known.count - gone.count
    from (select owner_id, count(*) as count from written group by owner_id order by owner_id) as gone
    where known.owner_id is not distinct from gone.owner_id;
    -- Nobody's row stays behind when an account goes with all that it owned.
    delete from exercise_counts as known using written
    where known.owner_id = written.owner_id and known.count = 0;
  end if;
  return null;
end
$$;--> statement-breakpoint
create trigger exercises_inserted_count after insert on exercises
  referencing new table as written for each statement execute function count_exercises();--> statement-breakpoint
create trigger exercises_deleted_count after delete on exercises
  referencing old table as written for each statement execute function count_exercises();--> statement-breakpoint
-- Each exercise is written and then rendered: with room for the second version on the same page no index is touched by it.
alter table exercises set (fillfactor = 50);
