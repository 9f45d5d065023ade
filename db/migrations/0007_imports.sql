CREATE TABLE "import_names" (
	"user_id" uuid NOT NULL,
	"form" text NOT NULL,
	"name" text NOT NULL,
	"exercise_id" uuid NOT NULL,
	CONSTRAINT "import_names_pkey" PRIMARY KEY("user_id","form"),
	CONSTRAINT "import_names_name_length_check" CHECK (char_length("import_names"."name") between 1 and 100)
);
--> statement-breakpoint
CREATE TABLE "imports" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"user_id" uuid NOT NULL,
	"format" text NOT NULL,
	"workout_count" integer NOT NULL,
	"set_count" integer NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	"undone_at" timestamp with time zone,
	CONSTRAINT "imports_format_check" CHECK ("imports"."format" in ('strong', 'hevy', 'fitnotes')),
	CONSTRAINT "imports_count_check" CHECK ("imports"."workout_count" >= 0 and "imports"."set_count" >= 0)
);
--> statement-breakpoint
ALTER TABLE "workouts" ADD COLUMN "import_id" uuid;--> statement-breakpoint
ALTER TABLE "workouts" ADD COLUMN "import_key" "bytea";--> statement-breakpoint
ALTER TABLE "import_names" ADD CONSTRAINT "import_names_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "import_names" ADD CONSTRAINT "import_names_exercise_id_fkey" FOREIGN KEY ("exercise_id") REFERENCES "public"."exercises"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "imports" ADD CONSTRAINT "imports_user_id_fkey" FOREIGN KEY ("user_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "import_names_exercise_id_index" ON "import_names" USING btree ("exercise_id");--> statement-breakpoint
CREATE INDEX "imports_user_id_index" ON "imports" USING btree ("user_id","id");--> statement-breakpoint
ALTER TABLE "workouts" ADD CONSTRAINT "workouts_import_id_fkey" FOREIGN KEY ("import_id") REFERENCES "public"."imports"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "workouts_import_id_index" ON "workouts" USING btree ("import_id") WHERE "workouts"."import_id" is not null;--> statement-breakpoint
CREATE UNIQUE INDEX "workouts_user_import_key_unique" ON "workouts" USING btree ("user_id","import_key") WHERE "workouts"."import_key" is not null;