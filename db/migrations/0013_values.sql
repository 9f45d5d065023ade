-- A workout lasts at most seven days: sums of lengths that people may enter at will overflow. What was kept before stays as it
-- is, until its times are changed: a check that is not validated would also refuse every other change of such a row, among
-- them those that foreign keys make.
ALTER TABLE "workouts" ADD COLUMN "is_length_exempt" boolean DEFAULT false NOT NULL;--> statement-breakpoint
UPDATE "workouts" SET "is_length_exempt" = true WHERE "ended_at" - "started_at" > interval '7 days';--> statement-breakpoint
ALTER TABLE "workouts" ADD CONSTRAINT "workouts_length_check" CHECK ("workouts"."is_length_exempt" or "workouts"."ended_at" - "workouts"."started_at" <= interval '7 days');--> statement-breakpoint
-- Addresses and names of people are compared in their composed form (NFC). Of two addresses that become the same, the one
-- that is composed already keeps it, else the older account; the other stays as it is, for an operator to decide.
UPDATE "users" SET "email" = normalize("email", NFC) WHERE "email" IS NOT NFC NORMALIZED
	AND lower(normalize("email", NFC)) = normalize("email", NFC) AND NOT EXISTS (
		SELECT FROM "users" AS "other" WHERE "other"."id" <> "users"."id" AND normalize("other"."email", NFC) = normalize("users"."email", NFC)
			AND ("other"."email" IS NFC NORMALIZED OR "other"."id" < "users"."id"));--> statement-breakpoint
UPDATE "users" SET "name" = normalize("name", NFC) WHERE "name" IS NOT NFC NORMALIZED;
