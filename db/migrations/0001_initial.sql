CREATE TABLE "equipment" (
	"id" smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "equipment_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 32767 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	CONSTRAINT "equipment_name_unique" UNIQUE("name"),
	CONSTRAINT "equipment_name_form_check" CHECK ("equipment"."name" = lower(btrim("equipment"."name")) and char_length("equipment"."name") between 3 and 100)
);
--> statement-breakpoint
CREATE TABLE "exercise_tags" (
	"id" smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "exercise_tags_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 32767 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	CONSTRAINT "exercise_tags_name_unique" UNIQUE("name"),
	CONSTRAINT "exercise_tags_name_form_check" CHECK ("exercise_tags"."name" = lower(btrim("exercise_tags"."name")) and char_length("exercise_tags"."name") between 3 and 100)
);
--> statement-breakpoint
CREATE TABLE "muscle_groups" (
	"id" smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "muscle_groups_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 32767 START WITH 1 CACHE 1),
	"name" text NOT NULL,
	CONSTRAINT "muscle_groups_name_unique" UNIQUE("name"),
	CONSTRAINT "muscle_groups_name_form_check" CHECK ("muscle_groups"."name" = lower(btrim("muscle_groups"."name")) and char_length("muscle_groups"."name") between 3 and 100)
);
--> statement-breakpoint
CREATE TABLE "exercise_equipment" (
	"exercise_id" uuid NOT NULL,
	"equipment_id" smallint NOT NULL,
	CONSTRAINT "exercise_equipment_pkey" PRIMARY KEY("exercise_id","equipment_id")
);
--> statement-breakpoint
CREATE TABLE "exercise_primary_muscles" (
	"exercise_id" uuid NOT NULL,
	"muscle_group_id" smallint NOT NULL,
	CONSTRAINT "exercise_primary_muscles_pkey" PRIMARY KEY("exercise_id","muscle_group_id")
);
--> statement-breakpoint
CREATE TABLE "exercise_secondary_muscles" (
	"exercise_id" uuid NOT NULL,
	"muscle_group_id" smallint NOT NULL,
	CONSTRAINT "exercise_secondary_muscles_pkey" PRIMARY KEY("exercise_id","muscle_group_id")
);
--> statement-breakpoint
CREATE TABLE "exercise_tag_links" (
	"exercise_id" uuid NOT NULL,
	"exercise_tag_id" smallint NOT NULL,
	CONSTRAINT "exercise_tag_links_pkey" PRIMARY KEY("exercise_id","exercise_tag_id")
);
--> statement-breakpoint
CREATE TABLE "exercises" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid,
	"name" text NOT NULL,
	"slug" text,
	"aliases" text[] DEFAULT '{}' NOT NULL,
	"category" text NOT NULL,
	"difficulty" text NOT NULL,
	"force" text,
	"mechanic" text,
	"measure" text DEFAULT 'weight_reps' NOT NULL,
	"is_one_sided" boolean DEFAULT false NOT NULL,
	"instructions" text,
	"image_path_start" text,
	"image_path_end" text,
	"search_text" text NOT NULL,
	"document" text DEFAULT '{}' NOT NULL,
	"seed_hash" text,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "exercises_slug_owner_check" CHECK (("exercises"."owner_id" is null) = ("exercises"."slug" is not null)),
	CONSTRAINT "exercises_slug_form_check" CHECK ("exercises"."slug" ~ '^[a-z0-9]+(-[a-z0-9]+)*$' and char_length("exercises"."slug") <= 120),
	CONSTRAINT "exercises_name_length_check" CHECK ("exercises"."name" = btrim("exercises"."name") and char_length("exercises"."name") between 3 and 100),
	CONSTRAINT "exercises_category_check" CHECK ("exercises"."category" in ('strength', 'stretching', 'plyometrics', 'strongman', 'powerlifting', 'cardio', 'olympic weightlifting')),
	CONSTRAINT "exercises_difficulty_check" CHECK ("exercises"."difficulty" in ('beginner', 'intermediate', 'expert')),
	CONSTRAINT "exercises_force_check" CHECK ("exercises"."force" in ('pull', 'push', 'static')),
	CONSTRAINT "exercises_mechanic_check" CHECK ("exercises"."mechanic" in ('compound', 'isolation')),
	CONSTRAINT "exercises_measure_check" CHECK ("exercises"."measure" in ('weight_reps', 'reps', 'time', 'distance')),
	CONSTRAINT "exercises_instructions_length_check" CHECK (char_length("exercises"."instructions") <= 10000),
	CONSTRAINT "exercises_image_path_start_form_check" CHECK ("exercises"."image_path_start" ~ '^/[a-z0-9_-]+(/[a-z0-9_-]+)*\.(jpg|jpeg|png|webp)$' and char_length("exercises"."image_path_start") <= 255),
	CONSTRAINT "exercises_image_path_end_form_check" CHECK ("exercises"."image_path_end" ~ '^/[a-z0-9_-]+(/[a-z0-9_-]+)*\.(jpg|jpeg|png|webp)$' and char_length("exercises"."image_path_end") <= 255)
);
--> statement-breakpoint
CREATE UNLOGGED TABLE "live_processes" (
	"id" uuid PRIMARY KEY NOT NULL,
	"seen_at" timestamp with time zone NOT NULL
);
--> statement-breakpoint
CREATE TABLE "logins" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" uuid NOT NULL,
	"refresh_hash" "bytea" NOT NULL,
	"previous_refresh_hash" "bytea",
	"refreshed_at" timestamp with time zone DEFAULT now() NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"last_used_at" timestamp with time zone DEFAULT now() NOT NULL,
	"expires_at" timestamp with time zone NOT NULL,
	"user_agent" text,
	"address" text,
	"revoked_at" timestamp with time zone,
	"revoked_reason" text,
	CONSTRAINT "logins_refresh_hash_length_check" CHECK (octet_length("logins"."refresh_hash") = 32),
	CONSTRAINT "logins_revoked_pair_check" CHECK (("logins"."revoked_at" is null) = ("logins"."revoked_reason" is null)),
	CONSTRAINT "logins_user_agent_length_check" CHECK (char_length("logins"."user_agent") <= 512),
	CONSTRAINT "logins_address_length_check" CHECK (char_length("logins"."address") <= 64)
);
--> statement-breakpoint
CREATE TABLE "roles" (
	"id" smallint PRIMARY KEY GENERATED ALWAYS AS IDENTITY (sequence name "roles_id_seq" INCREMENT BY 1 MINVALUE 1 MAXVALUE 32767 START WITH 1 CACHE 1),
	"slug" text NOT NULL,
	"name" text NOT NULL,
	CONSTRAINT "roles_slug_unique" UNIQUE("slug"),
	CONSTRAINT "roles_name_unique" UNIQUE("name"),
	CONSTRAINT "roles_slug_form_check" CHECK ("roles"."slug" ~ '^[a-z][a-z0-9-]{1,49}$'),
	CONSTRAINT "roles_name_length_check" CHECK (char_length("roles"."name") between 1 and 100)
);
--> statement-breakpoint
CREATE TABLE "users" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"email" text NOT NULL,
	"name" text,
	"password_hash" text NOT NULL,
	"is_active" boolean DEFAULT true NOT NULL,
	"is_system_admin" boolean DEFAULT false NOT NULL,
	"role_id" smallint NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"updated_at" timestamp with time zone DEFAULT now() NOT NULL,
	"version" integer DEFAULT 1 NOT NULL,
	CONSTRAINT "users_email_form_check" CHECK ("users"."email" = lower("users"."email") and char_length("users"."email") between 3 and 254),
	CONSTRAINT "users_name_length_check" CHECK (char_length("users"."name") between 1 and 100)
);
--> statement-breakpoint
ALTER TABLE "exercise_equipment" ADD CONSTRAINT "exercise_equipment_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_equipment" ADD CONSTRAINT "exercise_equipment_equipment_id_fkey" FOREIGN KEY ("equipment_id") REFERENCES "public"."equipment"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_primary_muscles" ADD CONSTRAINT "exercise_primary_muscles_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_primary_muscles" ADD CONSTRAINT "exercise_primary_muscles_muscle_group_id_fkey" FOREIGN KEY ("muscle_group_id") REFERENCES "public"."muscle_groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_secondary_muscles" ADD CONSTRAINT "exercise_secondary_muscles_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_secondary_muscles" ADD CONSTRAINT "exercise_secondary_muscles_muscle_group_id_fkey" FOREIGN KEY ("muscle_group_id") REFERENCES "public"."muscle_groups"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_tag_links" ADD CONSTRAINT "exercise_tag_links_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercise_tag_links" ADD CONSTRAINT "exercise_tag_links_exercise_tag_id_fkey" FOREIGN KEY ("exercise_tag_id") REFERENCES "public"."exercise_tags"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "exercises" ADD CONSTRAINT "exercises_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "logins" ADD CONSTRAINT "logins_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "users" ADD CONSTRAINT "users_role_id_fkey" FOREIGN KEY ("role_id") REFERENCES "public"."roles"("id") ON DELETE no action ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "exercise_equipment_equipment_id_index" ON "exercise_equipment" USING btree ("equipment_id","exercise_id");--> statement-breakpoint
CREATE INDEX "exercise_primary_muscles_muscle_group_id_index" ON "exercise_primary_muscles" USING btree ("muscle_group_id","exercise_id");--> statement-breakpoint
CREATE INDEX "exercise_secondary_muscles_muscle_group_id_index" ON "exercise_secondary_muscles" USING btree ("muscle_group_id","exercise_id");--> statement-breakpoint
CREATE INDEX "exercise_tag_links_exercise_tag_id_index" ON "exercise_tag_links" USING btree ("exercise_tag_id","exercise_id");--> statement-breakpoint
CREATE UNIQUE INDEX "exercises_system_slug_unique" ON "exercises" USING btree ("slug") WHERE "exercises"."owner_id" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "exercises_system_name_unique" ON "exercises" USING btree (lower("name")) WHERE "exercises"."owner_id" is null;--> statement-breakpoint
CREATE UNIQUE INDEX "exercises_owner_name_unique" ON "exercises" USING btree ("owner_id",lower("name")) WHERE "exercises"."owner_id" is not null;--> statement-breakpoint
CREATE INDEX "exercises_search_index" ON "exercises" USING gin ("search_text" gin_trgm_ops);--> statement-breakpoint
CREATE INDEX "logins_user_id_index" ON "logins" USING btree ("user_id");--> statement-breakpoint
CREATE UNIQUE INDEX "users_email_unique" ON "users" USING btree (lower("email"));--> statement-breakpoint
CREATE UNIQUE INDEX "users_system_admin_unique" ON "users" USING btree ("is_system_admin") WHERE "users"."is_system_admin";--> statement-breakpoint
CREATE INDEX "users_role_id_index" ON "users" USING btree ("role_id");