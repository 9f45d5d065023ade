-- Edits of one workout at the same time could leave more parts than there may be. They stay: the most that may be added is a rule of
-- the service, which counts under a lock.
ALTER TABLE "workout_sets" DROP CONSTRAINT "workout_sets_position_check";--> statement-breakpoint
ALTER TABLE "workout_exercises" DROP CONSTRAINT "workout_exercises_position_check";--> statement-breakpoint
-- They could also leave two parts at one position, or a gap. They are numbered again, in the
-- order in which they were shown; whatever that changes gets a new version.
with numbered as (
  select id, row_number() over (partition by workout_id order by position, id) as position from workout_exercises
), renumbered as (
  update workout_exercises set position = numbered.position from numbered
  where numbered.id = workout_exercises.id and numbered.position <> workout_exercises.position returning workout_id
)
update workouts set version = version + 1 where id in (select workout_id from renumbered);--> statement-breakpoint
with numbered as (
  select id, row_number() over (partition by workout_exercise_id order by position, id) as position from workout_sets
), renumbered as (
  update workout_sets set position = numbered.position from numbered
  where numbered.id = workout_sets.id and numbered.position <> workout_sets.position returning workout_exercise_id
)
update workouts set version = version + 1 where id in (
  select workout_id from workout_exercises where id in (select workout_exercise_id from renumbered));--> statement-breakpoint
ALTER TABLE "workout_sets" ADD CONSTRAINT "workout_sets_position_check" CHECK ("workout_sets"."position" >= 1);--> statement-breakpoint
ALTER TABLE "workout_exercises" ADD CONSTRAINT "workout_exercises_position_check" CHECK ("workout_exercises"."position" >= 1);--> statement-breakpoint
-- Deferrable: a move shifts others within one statement, and is checked at its end. Their indexes serve as the old ones did.
DROP INDEX "workout_exercises_workout_id_index";--> statement-breakpoint
DROP INDEX "workout_sets_workout_exercise_id_index";--> statement-breakpoint
ALTER TABLE "workout_exercises" ADD CONSTRAINT "workout_exercises_position_unique" UNIQUE("workout_id","position") DEFERRABLE INITIALLY IMMEDIATE;--> statement-breakpoint
ALTER TABLE "workout_sets" ADD CONSTRAINT "workout_sets_position_unique" UNIQUE("workout_exercise_id","position") DEFERRABLE INITIALLY IMMEDIATE;--> statement-breakpoint
-- Parts of routines and plans were unique before, and are replaced in place by ON CONFLICT, which takes no deferrable
-- constraint. A plan from an archive could have gaps; while they are closed two may stand at one position.
ALTER TABLE "routine_exercises" DROP CONSTRAINT "routine_exercises_position_unique";--> statement-breakpoint
ALTER TABLE "plan_routines" DROP CONSTRAINT "plan_routines_position_unique";--> statement-breakpoint
with numbered as (
  select id, row_number() over (partition by routine_id order by position, id) as position from routine_exercises
), renumbered as (
  update routine_exercises set position = numbered.position from numbered
  where numbered.id = routine_exercises.id and numbered.position <> routine_exercises.position returning routine_id
)
update routines set version = version + 1 where id in (select routine_id from renumbered);--> statement-breakpoint
with numbered as (
  select id, row_number() over (partition by plan_id, day order by position, id) as position from plan_routines
), renumbered as (
  update plan_routines set position = numbered.position from numbered
  where numbered.id = plan_routines.id and numbered.position <> plan_routines.position returning plan_id
)
update plans set version = version + 1 where id in (select plan_id from renumbered);--> statement-breakpoint
ALTER TABLE "routine_exercises" ADD CONSTRAINT "routine_exercises_position_unique" UNIQUE("routine_id","position");--> statement-breakpoint
ALTER TABLE "plan_routines" ADD CONSTRAINT "plan_routines_position_unique" UNIQUE("plan_id","day","position");
