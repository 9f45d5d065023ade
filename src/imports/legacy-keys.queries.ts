import type { Db } from "#db/client.ts";

/** The time zones of `userId`'s workouts that were imported under legacy keys, in no order. */
export async function listLegacyTimeZones({ sql }: Db, userId: string): Promise<string[]> {
  const rows = await sql<{ timeZone: string }[]>`
    select distinct time_zone as "timeZone" from workouts
    where user_id = ${userId} and import_key is not null and import_version is null`;
  return rows.map(({ timeZone }) => timeZone);
}

/**
 * Replaces legacy keys of `userId`'s workouts by current ones, unless another workout has that key.
 * One statement.
 */
export async function replaceLegacyKeys(
  { sql }: Db,
  userId: string,
  keys: { legacyKey: string; key: string }[],
): Promise<void> {
  await sql`
    update workouts set import_key = decode(replaced.key, 'hex')
    from (
      select distinct on (key) key, workouts.id
      from json_to_recordset(${JSON.stringify(keys)}::text::json)
        as entry ("legacyKey" text, key text)
      join workouts on user_id = ${userId} and import_key = decode("legacyKey", 'hex')
      where not exists (
        select from workouts as other
        where other.user_id = ${userId} and other.import_key = decode(key, 'hex')
      )
      order by key, workouts.id
    ) as replaced
    where workouts.id = replaced.id`;
}

/**
 * Moves `userId`'s workouts with these legacy keys to the trash; unless `isForced`, not those that
 * were edited since their import. One statement.
 */
export async function trashByLegacyKeys(
  { sql }: Db,
  userId: string,
  keys: string[],
  isForced: boolean,
): Promise<void> {
  await sql`
    update workouts set deleted_at = clock_timestamp(), import_key = null,
      updated_at = clock_timestamp(), version = version + 1
    where user_id = ${userId} and deleted_at is null
      and (${isForced} or version = coalesce(import_version, 1))
      and import_key in (
        select decode(key, 'hex')
        from json_array_elements_text(${JSON.stringify(keys)}::text::json) as key
      )`;
}
