import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import type { Format } from "./formats.types.ts";

/** Inserts an import without workouts and returns its id. */
export async function insertImport({ sql }: Db, userId: string, format: Format): Promise<string> {
  const [row] = await sql<{ id: string }[]>`
    insert into imports (user_id, format, workout_count, set_count)
    values (${userId}, ${format}, 0, 0)
    returning id`;
  return (row as { id: string }).id;
}

/** Records an import's counts; deletes the row if nothing was imported. */
export async function closeImport(
  { sql }: Db,
  importId: string,
  { workouts, sets }: { workouts: number; sets: number },
): Promise<void> {
  await (workouts === 0
    ? sql`delete from imports where id = ${importId}`
    : sql`
      update imports set workout_count = ${workouts}, set_count = ${sets}
      where id = ${importId}`);
}

/** Imports of `userId`, the latest first, at most 1,000, as a JSON array. */
export async function listImportsJson({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ json: string }[]>`
    select '[' || coalesce(string_agg(row_to_json(listed)::text, ','), '') || ']' as json
    from (
      select id, format, workout_count as "workoutCount", set_count as "setCount",
        ${instant(sql, "created_at")} as "createdAt",
        ${instant(sql, "undone_at")} as "undoneAt"
      from imports where user_id = ${userId}
      order by id desc limit 1000
    ) as listed`;
  return row?.json ?? "[]";
}

/**
 * Moves the workouts of an import of `userId` to the trash, except those that were edited since,
 * and clears their keys so that the file can be imported again. Undefined if there is no such
 * import, or it was undone before. One statement.
 */
export async function trashImport(
  { sql }: Db,
  userId: string,
  importId: string,
): Promise<{ trashed: number; kept: number } | undefined> {
  const [result] = await sql<{ exists: boolean; trashed: number; kept: number }[]>`
    with undone as (
      update imports set undone_at = now()
      where id = ${importId} and user_id = ${userId} and undone_at is null
      returning id
    ), trashed as (
      update workouts set deleted_at = clock_timestamp(), import_key = null,
        updated_at = clock_timestamp(), version = version + 1
      where import_id in (select id from undone) and version = coalesce(import_version, 1)
        and deleted_at is null
      returning 1
    )
    select exists (select from undone),
      (select count(*) from trashed)::int as trashed,
      (
        select count(*) from workouts
        where import_id in (select id from undone) and version <> coalesce(import_version, 1)
          and deleted_at is null
      )::int as kept`;
  return result?.exists ? { trashed: result.trashed, kept: result.kept } : undefined;
}
