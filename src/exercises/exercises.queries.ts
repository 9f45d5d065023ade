import type { Db } from "#db/client.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";
import { isClient } from "../permissions/visibility.queries.ts";

/** An exercise of the catalog or of `userId`'s own; undefined for anyone else's. */
export async function findDocument(
  { sql }: Db,
  userId: string,
  exerciseId: string,
): Promise<{ document: string; isSystem: boolean } | undefined> {
  const [row] = await sql<{ document: string; isSystem: boolean }[]>`
    select document, owner_id is null as "isSystem" from exercises
    where id = ${exerciseId} and (owner_id is null or owner_id = ${userId})`;
  return row;
}

/**
 * An own exercise of somebody who lets `trainerId` read their history at present; undefined for
 * anyone else's.
 */
export async function findClientsDocument(
  { sql }: Db,
  trainerId: string,
  exerciseId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ document: string }[]>`
    select document from exercises
    where id = ${exerciseId} and ${isClient(sql, "exercises.owner_id", trainerId, "read_history")}`;
  return row?.document;
}

/** Which of the given exercises are the catalog's or `userId`'s own, in no order. */
export async function listVisibleIds(
  { sql }: Db,
  userId: string,
  ids: string[],
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from exercises where id = any (${ids}::uuid[]) and (owner_id is null or owner_id = ${userId})`;
  return rows.map(({ id }) => id);
}

export async function findSystemDocumentBySlug(db: Db, slug: string): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where owner_id is null and slug = ${slug}`;
  return row?.document;
}

/** The document of `userId`'s own exercise of exactly that name. */
export async function findOwnDocumentByName(
  db: Db,
  userId: string,
  name: string,
): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where owner_id = ${userId} and lower(name) = lower(${name}) and name = ${name}`;
  return row?.document;
}

/**
 * Renders what the given exercises, which the transaction has locked, look like on the wire.
 * Whatever changes an exercise, or the name of something that it refers to, does this later in the
 * same transaction, in a statement of its own, which sees what others committed while it waited for
 * its locks: readers are then served bytes that need no join.
 */
export async function renderDocuments({ sql }: Db, exerciseIds: string[]): Promise<void> {
  await rendering(sql, exerciseIds);
}

/**
 * Renders one exercise, has every process told `announcement` when the transaction commits, and
 * returns the document.
 */
export async function renderAndAnnounce(
  { sql }: Db,
  exerciseId: string,
  invalidationMessage: InvalidationMessage,
): Promise<string> {
  const [row] = await sql<{ document: string }[]>`
    with rendered as (${rendering(sql, [exerciseId])} returning exercises.document)
    select document, ${invalidationSql(sql, invalidationMessage)} from rendered`;
  return (row as { document: string }).document;
}

function rendering(sql: Db["sql"], exerciseIds: string[]) {
  const linked = (links: string, column: string, catalog: string) => sql`(
    select coalesce(array_agg(entry.id order by entry.id), '{}') as ids,
      ('[' || coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.id), '') || ']')::json as json
    from ${sql(links)} as link
    join (select id, name from ${sql(catalog)}) as entry on entry.id = link.${sql(column)}
    where link.exercise_id = found.id
  )`;
  return sql`
    update exercises set primary_muscle_ids = shown.primary_ids, secondary_muscle_ids = shown.secondary_ids,
      equipment_ids = shown.equipment_ids, tag_ids = shown.tag_ids, document = shown.document
    from (
      select found.id, prime.ids as primary_ids, second.ids as secondary_ids, kit.ids as equipment_ids, tag.ids as tag_ids,
        (select row_to_json(wire)::text from (
          select found.id, name, prime.json as "primaryMuscles", second.json as "secondaryMuscles",
            force, difficulty as "difficultyLevel", mechanic, kit.json as equipment,
            category, instructions, image_path_start as "imagePathStart", image_path_end as "imagePathEnd",
            tag.json as tags, slug, owner_id is null as "isSystemDefault", owner_id as "createdBy",
            to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
            to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "updatedAt",
            version
        ) as wire) as document
      from exercises as found
      cross join lateral ${linked("exercise_primary_muscles", "muscle_group_id", "muscle_groups")} as prime
      cross join lateral ${linked("exercise_secondary_muscles", "muscle_group_id", "muscle_groups")} as second
      cross join lateral ${linked("exercise_equipment", "equipment_id", "equipment")} as kit
      cross join lateral ${linked("exercise_tag_links", "exercise_tag_id", "exercise_tags")} as tag
      where found.id = any (${exerciseIds})
    ) as shown
    where exercises.id = shown.id`;
}
