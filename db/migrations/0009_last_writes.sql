-- Unlogged: noted after each write has committed, which must not wait for the disk again. A crash empties it, and a
-- row that is missing is read as "up to now".
CREATE UNLOGGED TABLE "last_writes" (
	"user_id" uuid PRIMARY KEY NOT NULL,
	"position" "pg_lsn" NOT NULL
);
