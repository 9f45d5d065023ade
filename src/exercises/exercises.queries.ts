import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { type Announcement, noticeOf } from "../notices.ts";

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

export async function findSystemDocumentBySlug(db: Db, slug: string): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where owner_id is null and slug = ${slug}`;
  return row?.document;
}

/** The document of `userId`'s own exercise of exactly that name. */
export async function findOwnDocumentByName(db: Db, userId: string, name: string): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where owner_id = ${userId} and lower(name) = lower(${name}) and name = ${name}`;
  return row?.document;
}

/**
 * Renders what the given exercises look like on the wire. Whatever changes an exercise, or the name of something that it
 * refers to, does this later in the same transaction, in a statement of its own, which sees what others committed while
 * it waited for its locks: readers are then served bytes that need no join.
 */
export async function renderDocuments({ sql }: Db, exerciseIds: string[]): Promise<void> {
  await sql`${rendering(sql)} where id = any (${exerciseIds})`;
}

/** Renders one exercise, has every process told `announcement` when the transaction commits, and returns the document. */
export async function renderAndAnnounce({ sql }: Db, exerciseId: string, announcement: Announcement): Promise<string> {
  const [row] = await sql<{ document: string }[]>`
    with rendered as (${rendering(sql)} where id = ${exerciseId} returning document)
    select document, ${noticeOf(sql, announcement)} from rendered`;
  return (row as { document: string }).document;
}

function rendering(sql: Db["sql"]): Fragment {
  const entries = (links: string, catalog: string, column: string) => sql`(
    select ('[' || coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.id), '') || ']')::json
    from (
      select catalog.id, catalog.name from ${sql(links)} as link
      join ${sql(catalog)} as catalog on catalog.id = link.${sql(column)}
      where link.exercise_id = exercises.id
    ) as entry
  )`;
  const ids = (links: string, column: string) =>
    sql`array(select ${sql(column)} from ${sql(links)} where exercise_id = exercises.id order by 1)`;
  return sql`
    update exercises set
      primary_muscle_ids = ${ids("exercise_primary_muscles", "muscle_group_id")},
      secondary_muscle_ids = ${ids("exercise_secondary_muscles", "muscle_group_id")},
      equipment_ids = ${ids("exercise_equipment", "equipment_id")},
      tag_ids = ${ids("exercise_tag_links", "exercise_tag_id")},
      document = (
        select row_to_json(wire)::text from (
          select id, name,
            ${entries("exercise_primary_muscles", "muscle_groups", "muscle_group_id")} as "primaryMuscles",
            ${entries("exercise_secondary_muscles", "muscle_groups", "muscle_group_id")} as "secondaryMuscles",
            force, difficulty as "difficultyLevel", mechanic,
            ${entries("exercise_equipment", "equipment", "equipment_id")} as equipment,
            category, instructions, image_path_start as "imagePathStart", image_path_end as "imagePathEnd",
            ${entries("exercise_tag_links", "exercise_tags", "exercise_tag_id")} as tags,
            slug, owner_id is null as "isSystemDefault", owner_id as "createdBy",
            to_char(created_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "createdAt",
            to_char(updated_at at time zone 'UTC', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"') as "updatedAt",
            version
        ) as wire
      )`;
}
