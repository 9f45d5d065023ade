CREATE TABLE "clients" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"trainer_id" uuid NOT NULL,
	"client_id" uuid NOT NULL,
	"asks_read_history" boolean NOT NULL,
	"asks_write_plans" boolean NOT NULL,
	"can_read_history" boolean DEFAULT false NOT NULL,
	"can_write_plans" boolean DEFAULT false NOT NULL,
	"invited_at" timestamp with time zone DEFAULT now() NOT NULL,
	"accepted_at" timestamp with time zone,
	"ended_at" timestamp with time zone,
	CONSTRAINT "clients_not_oneself_check" CHECK ("clients"."trainer_id" <> "clients"."client_id"),
	CONSTRAINT "clients_asked_check" CHECK ("clients"."asks_read_history" or "clients"."asks_write_plans"),
	CONSTRAINT "clients_within_asked_check" CHECK ("clients"."can_read_history" <= "clients"."asks_read_history" and "clients"."can_write_plans" <= "clients"."asks_write_plans"),
	CONSTRAINT "clients_accepted_check" CHECK (("clients"."accepted_at" is not null) = ("clients"."can_read_history" or "clients"."can_write_plans"))
);
--> statement-breakpoint
CREATE TABLE "links" (
	"id" uuid PRIMARY KEY DEFAULT uuidv7() NOT NULL,
	"owner_id" uuid NOT NULL,
	"routine_id" uuid,
	"plan_id" uuid,
	"token_hash" "bytea" NOT NULL,
	"created_at" timestamp with time zone DEFAULT now() NOT NULL,
	CONSTRAINT "links_token_hash_unique" UNIQUE("token_hash"),
	CONSTRAINT "links_subject_check" CHECK (num_nonnulls("links"."routine_id", "links"."plan_id") = 1),
	CONSTRAINT "links_token_hash_length_check" CHECK (octet_length("links"."token_hash") = 32)
);
--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "assigned_from_plan_id" uuid;--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "assigned_from_version" integer;--> statement-breakpoint
ALTER TABLE "plans" ADD COLUMN "assigned_by" uuid;--> statement-breakpoint
ALTER TABLE "clients" ADD CONSTRAINT "clients_trainer_id_fkey" FOREIGN KEY ("trainer_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "clients" ADD CONSTRAINT "clients_client_id_fkey" FOREIGN KEY ("client_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "links" ADD CONSTRAINT "links_owner_id_fkey" FOREIGN KEY ("owner_id") REFERENCES "public"."users"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "links" ADD CONSTRAINT "links_routine_id_fkey" FOREIGN KEY ("routine_id") REFERENCES "public"."routines"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "links" ADD CONSTRAINT "links_plan_id_fkey" FOREIGN KEY ("plan_id") REFERENCES "public"."plans"("id") ON DELETE cascade ON UPDATE no action;--> statement-breakpoint
CREATE UNIQUE INDEX "clients_live_pair_unique" ON "clients" USING btree ("trainer_id","client_id") WHERE "clients"."ended_at" is null;--> statement-breakpoint
CREATE INDEX "clients_trainer_id_index" ON "clients" USING btree ("trainer_id");--> statement-breakpoint
CREATE INDEX "clients_client_id_index" ON "clients" USING btree ("client_id");--> statement-breakpoint
CREATE INDEX "links_owner_id_index" ON "links" USING btree ("owner_id");--> statement-breakpoint
CREATE INDEX "links_routine_id_index" ON "links" USING btree ("routine_id");--> statement-breakpoint
CREATE INDEX "links_plan_id_index" ON "links" USING btree ("plan_id");--> statement-breakpoint
ALTER TABLE "plans" ADD CONSTRAINT "plans_assigned_from_plan_id_fkey" FOREIGN KEY ("assigned_from_plan_id") REFERENCES "public"."plans"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
ALTER TABLE "plans" ADD CONSTRAINT "plans_assigned_by_fkey" FOREIGN KEY ("assigned_by") REFERENCES "public"."users"("id") ON DELETE set null ON UPDATE no action;--> statement-breakpoint
CREATE INDEX "plans_assigned_from_plan_id_index" ON "plans" USING btree ("assigned_from_plan_id") WHERE "plans"."assigned_from_plan_id" is not null;--> statement-breakpoint
CREATE INDEX "plans_assigned_by_index" ON "plans" USING btree ("assigned_by") WHERE "plans"."assigned_by" is not null;--> statement-breakpoint
ALTER TABLE "plans" ADD CONSTRAINT "plans_assigned_check" CHECK (case when "plans"."assigned_from_version" is null then num_nonnulls("plans"."assigned_from_plan_id", "plans"."assigned_by") = 0 else "plans"."assigned_from_version" >= 1 end);