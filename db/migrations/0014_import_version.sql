-- A file that is read again may replace what it brought before: what was changed since is told by its version.
ALTER TABLE "workouts" ADD COLUMN "import_version" integer;
