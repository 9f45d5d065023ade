CREATE TABLE "grants" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid NOT NULL,
	"grantee_id" uuid NOT NULL,
	"routine_id" uuid,
	"plan_id" uuid,
	"access" text NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "grants_routine_grantee_unique" UNIQUE("routine_id","grantee_id"),
	CONSTRAINT "grants_plan_grantee_unique" UNIQUE("plan_id","grantee_id"),
	CONSTRAINT "grants_subject_check" CHECK (num_nonnulls("grants"."routine_id", "grants"."plan_id") = 1),
	CONSTRAINT "grants_access_check" CHECK ("grants"."access" in ('read', 'write')),
	CONSTRAINT "grants_not_oneself_check" CHECK ("grants"."owner_id" <> "grants"."grantee_id")
);
--> statement-breakpoint
CREATE TABLE "plan_routines" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"plan_id" uuid NOT NULL,
	"routine_id" uuid NOT NULL,
	"day" smallint NOT NULL,
	"position" smallint NOT NULL,
	CONSTRAINT "plan_routines_position_unique" UNIQUE("plan_id","day","position"),
	CONSTRAINT "plan_routines_day_check" CHECK ("plan_routines"."day" between 1 and 366),
	CONSTRAINT "plan_routines_position_check" CHECK ("plan_routines"."position" between 1 and 50)
);
--> statement-breakpoint
CREATE TABLE "plans" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"difficulty" text,
	"sharing" text DEFAULT 'private' NOT NULL,
	"weeks" smallint,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "plans_name_length_check" CHECK ("plans"."name" = btrim("plans"."name") and char_length("plans"."name") between 1 and 100),
	CONSTRAINT "plans_description_length_check" CHECK (char_length("plans"."description") <= 2000),
	CONSTRAINT "plans_difficulty_check" CHECK ("plans"."difficulty" in ('beginner', 'intermediate', 'expert')),
	CONSTRAINT "plans_sharing_check" CHECK ("plans"."sharing" in ('private', 'shared', 'public')),
	CONSTRAINT "plans_weeks_check" CHECK ("plans"."weeks" between 1 and 104)
);
--> statement-breakpoint
CREATE TABLE "routine_exercises" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"routine_id" uuid NOT NULL,
	"position" smallint NOT NULL,
	"exercise_id" uuid,
	"exercise_name" text NOT NULL,
	"mode" text NOT NULL,
	"sets" smallint NOT NULL,
	"reps_min" smallint,
	"reps_max" smallint,
	"weight" numeric(7, 3),
	"weight_unit" text,
	"time_s" integer,
	"distance_m" integer,
	"rpe" numeric(3, 1),
	"rir" smallint,
	"rest_s" integer,
	"tempo" text,
	"superset_group" smallint,
	"notes" text,
	CONSTRAINT "routine_exercises_position_unique" UNIQUE("routine_id","position"),
	CONSTRAINT "routine_exercises_position_check" CHECK ("routine_exercises"."position" between 1 and 100),
	CONSTRAINT "routine_exercises_name_length_check" CHECK (char_length("routine_exercises"."exercise_name") between 1 and 100),
	CONSTRAINT "routine_exercises_mode_check" CHECK ("routine_exercises"."mode" in ('reps', 'time', 'distance', 'sets_only')),
	CONSTRAINT "routine_exercises_sets_check" CHECK ("routine_exercises"."sets" between 1 and 100),
	CONSTRAINT "routine_exercises_reps_check" CHECK ("routine_exercises"."reps_min" between 1 and 10000 and "routine_exercises"."reps_max" between "routine_exercises"."reps_min" and 10000),
	CONSTRAINT "routine_exercises_reps_pair_check" CHECK (("routine_exercises"."reps_min" is null) = ("routine_exercises"."reps_max" is null)),
	CONSTRAINT "routine_exercises_weight_check" CHECK ("routine_exercises"."weight" between 0 and 2000 and "routine_exercises"."weight_unit" in ('kg', 'lb')),
	CONSTRAINT "routine_exercises_weight_pair_check" CHECK (("routine_exercises"."weight" is null) = ("routine_exercises"."weight_unit" is null)),
	CONSTRAINT "routine_exercises_target_mode_check" CHECK (("routine_exercises"."reps_min" is null or "routine_exercises"."mode" = 'reps') and ("routine_exercises"."time_s" is null or "routine_exercises"."mode" = 'time')
        and ("routine_exercises"."distance_m" is null or "routine_exercises"."mode" = 'distance')),
	CONSTRAINT "routine_exercises_time_check" CHECK ("routine_exercises"."time_s" between 1 and 86400),
	CONSTRAINT "routine_exercises_distance_check" CHECK ("routine_exercises"."distance_m" between 1 and 1000000),
	CONSTRAINT "routine_exercises_effort_check" CHECK ("routine_exercises"."rpe" between 1 and 10 and mod("routine_exercises"."rpe" * 2, 1) = 0 and "routine_exercises"."rir" is null
        or "routine_exercises"."rir" between 0 and 20 and "routine_exercises"."rpe" is null or "routine_exercises"."rpe" is null and "routine_exercises"."rir" is null),
	CONSTRAINT "routine_exercises_rest_check" CHECK ("routine_exercises"."rest_s" between 0 and 3600),
	CONSTRAINT "routine_exercises_tempo_check" CHECK ("routine_exercises"."tempo" ~ '^[0-9X]{3,4}$'),
	CONSTRAINT "routine_exercises_superset_check" CHECK ("routine_exercises"."superset_group" between 1 and 50),
	CONSTRAINT "routine_exercises_notes_length_check" CHECK (char_length("routine_exercises"."notes") <= 1000)
);
--> statement-breakpoint
CREATE TABLE "routines" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid NOT NULL,
	"name" text NOT NULL,
	"description" text,
	"sharing" text DEFAULT 'private' NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "routines_name_length_check" CHECK ("routines"."name" = btrim("routines"."name") and char_length("routines"."name") between 1 and 100),
	CONSTRAINT "routines_description_length_check" CHECK (char_length("routines"."description") <= 2000),
	CONSTRAINT "routines_sharing_check" CHECK ("routines"."sharing" in ('private', 'shared', 'public'))
);
--> statement-breakpoint
CREATE TABLE "workout_exercises" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"workout_id" uuid NOT NULL,
	"position" smallint NOT NULL,
	"exercise_id" uuid,
	"exercise_name" text NOT NULL,
	"mode" text NOT NULL,
	"targets" jsonb,
	"superset_group" smallint,
	"notes" text,
	CONSTRAINT "workout_exercises_mode_unique" UNIQUE("id","mode"),
	CONSTRAINT "workout_exercises_position_check" CHECK ("workout_exercises"."position" between 1 and 200),
	CONSTRAINT "workout_exercises_name_length_check" CHECK (char_length("workout_exercises"."exercise_name") between 1 and 100),
	CONSTRAINT "workout_exercises_mode_check" CHECK ("workout_exercises"."mode" in ('reps', 'time', 'distance', 'sets_only')),
	CONSTRAINT "workout_exercises_superset_check" CHECK ("workout_exercises"."superset_group" between 1 and 50),
	CONSTRAINT "workout_exercises_notes_length_check" CHECK (char_length("workout_exercises"."notes") <= 1000)
);
--> statement-breakpoint
CREATE TABLE "workout_sets" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"workout_exercise_id" uuid NOT NULL,
	"mode" text NOT NULL,
	"position" smallint NOT NULL,
	"type" text DEFAULT 'working' NOT NULL,
	"weight" numeric(7, 3),
	"weight_unit" text,
	"weight_kg" numeric(8, 4),
	"reps" smallint,
	"time_s" integer,
	"distance_m" integer,
	"rpe" numeric(3, 1),
	"rir" smallint,
	"rest_s" integer,
	"completed_at" timestamp with time zone,
	"note" text,
	CONSTRAINT "workout_sets_position_check" CHECK ("workout_sets"."position" between 1 and 500),
	CONSTRAINT "workout_sets_type_check" CHECK ("workout_sets"."type" in ('warmup', 'working', 'drop', 'failure', 'myo', 'partial')),
	CONSTRAINT "workout_sets_weight_check" CHECK ("workout_sets"."weight" between 0 and 2000 and "workout_sets"."weight_unit" in ('kg', 'lb')),
	CONSTRAINT "workout_sets_weight_pair_check" CHECK (("workout_sets"."weight" is null) = ("workout_sets"."weight_unit" is null) and ("workout_sets"."weight" is null) = ("workout_sets"."weight_kg" is null)),
	CONSTRAINT "workout_sets_metric_check" CHECK (("workout_sets"."reps" is null or "workout_sets"."mode" = 'reps') and ("workout_sets"."time_s" is null or "workout_sets"."mode" = 'time')
        and ("workout_sets"."distance_m" is null or "workout_sets"."mode" = 'distance')),
	CONSTRAINT "workout_sets_reps_check" CHECK ("workout_sets"."reps" between 0 and 10000),
	CONSTRAINT "workout_sets_time_check" CHECK ("workout_sets"."time_s" between 0 and 86400),
	CONSTRAINT "workout_sets_distance_check" CHECK ("workout_sets"."distance_m" between 0 and 1000000),
	CONSTRAINT "workout_sets_rpe_check" CHECK ("workout_sets"."rpe" between 1 and 10 and mod("workout_sets"."rpe" * 2, 1) = 0),
	CONSTRAINT "workout_sets_rir_check" CHECK ("workout_sets"."rir" between 0 and 20),
	CONSTRAINT "workout_sets_rest_check" CHECK ("workout_sets"."rest_s" between 0 and 3600),
	CONSTRAINT "workout_sets_note_length_check" CHECK (char_length("workout_sets"."note") <= 500)
);
--> statement-breakpoint
CREATE TABLE "workouts" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" uuid NOT NULL,
	"plan_id" uuid,
	"plan_name" text,
	"routine_id" uuid,
	"routine_name" text,
	"name" text,
	"status" text NOT NULL,
	"started_at" timestamp with time zone NOT NULL,
	"ended_at" timestamp with time zone,
	"time_zone" text NOT NULL,
	"body_weight_kg" numeric(6, 3),
	"notes" text,
	"deleted_at" timestamp with time zone,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "workouts_status_check" CHECK ("workouts"."status" in ('in_progress', 'completed', 'aborted')),
	CONSTRAINT "workouts_ended_check" CHECK (("workouts"."status" = 'in_progress') = ("workouts"."ended_at" is null)),
	CONSTRAINT "workouts_order_check" CHECK ("workouts"."ended_at" >= "workouts"."started_at"),
	CONSTRAINT "workouts_time_zone_length_check" CHECK (char_length("workouts"."time_zone") between 1 and 64),
	CONSTRAINT "workouts_name_length_check" CHECK (char_length("workouts"."name") between 1 and 100),
	CONSTRAINT "workouts_body_weight_check" CHECK ("workouts"."body_weight_kg" between 1 and 700),
	CONSTRAINT "workouts_notes_length_check" CHECK (char_length("workouts"."notes") <= 5000)
);
--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_grantee_id_fkey" FOREIGN KEY ("grantee_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_routine_id_fkey" FOREIGN KEY ("routine_id") REFERENCES "public"."routines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "grants" ADD CONSTRAINT "grants_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "plan_routines" ADD CONSTRAINT "plan_routines_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
-- Checked when the transaction ends: an account goes with its routines and its plans, in no particular order.
ALTER TABLE "plan_routines" ADD CONSTRAINT "plan_routines_routine_id_fkey" FOREIGN KEY ("routine_id") REFERENCES "public"."routines"("id") ON DELETE no action ON UPDATE no action DEFERRABLE INITIALLY DEFERRED;--> statement-breakpoint
ALTER TABLE "plans" ADD CONSTRAINT "plans_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "routine_exercises" ADD CONSTRAINT "routine_exercises_routine_id_fkey" FOREIGN KEY ("routine_id") REFERENCES "public"."routines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "routine_exercises" ADD CONSTRAINT "routine_exercises_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "routines" ADD CONSTRAINT "routines_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workout_exercises" ADD CONSTRAINT "workout_exercises_workout_id_fkey" FOREIGN KEY ("workout_id") REFERENCES "public"."workouts"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workout_exercises" ADD CONSTRAINT "workout_exercises_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workout_sets" ADD CONSTRAINT "workout_sets_workout_exercise_fkey" FOREIGN KEY ("workout_exercise_id","mode") REFERENCES "public"."workout_exercises"("id","mode") ON DELETE cascade ON UPDATE cascade;--> statement-breakpoint
ALTER TABLE "workouts" ADD CONSTRAINT "workouts_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workouts" ADD CONSTRAINT "workouts_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "workouts" ADD CONSTRAINT "workouts_routine_id_fkey" FOREIGN KEY ("routine_id") REFERENCES "public"."routines"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "grants_grantee_id_index" ON "grants" USING btree ("grantee_id");--> statement-breakpoint
CREATE INDEX "grants_owner_id_index" ON "grants" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "plan_routines_routine_id_index" ON "plan_routines" USING btree ("routine_id");--> statement-breakpoint
CREATE UNIQUE INDEX "plans_owner_name_unique" ON "plans" USING btree ("owner_id",lower("name"));--> statement-breakpoint
CREATE INDEX "plans_public_index" ON "plans" USING btree ("id") WHERE "plans"."sharing" = 'public';--> statement-breakpoint
CREATE INDEX "routine_exercises_exercise_id_index" ON "routine_exercises" USING btree ("exercise_id");--> statement-breakpoint
CREATE UNIQUE INDEX "routines_owner_name_unique" ON "routines" USING btree ("owner_id",lower("name"));--> statement-breakpoint
CREATE INDEX "routines_public_index" ON "routines" USING btree ("id") WHERE "routines"."sharing" = 'public';--> statement-breakpoint
CREATE INDEX "workout_exercises_workout_id_index" ON "workout_exercises" USING btree ("workout_id","position");--> statement-breakpoint
CREATE INDEX "workout_exercises_exercise_id_index" ON "workout_exercises" USING btree ("exercise_id");--> statement-breakpoint
CREATE INDEX "workout_sets_workout_exercise_id_index" ON "workout_sets" USING btree ("workout_exercise_id","position");--> statement-breakpoint
CREATE INDEX "workouts_user_started_at_index" ON "workouts" USING btree ("user_id","started_at","id");--> statement-breakpoint
CREATE INDEX "workouts_plan_id_index" ON "workouts" USING btree ("plan_id");--> statement-breakpoint
CREATE INDEX "workouts_routine_id_index" ON "workouts" USING btree ("routine_id");--> statement-breakpoint
CREATE INDEX "workouts_deleted_at_index" ON "workouts" USING btree ("deleted_at") WHERE "workouts"."deleted_at" is not null;