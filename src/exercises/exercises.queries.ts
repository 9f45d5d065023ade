import type { Db } from "#db/client.ts";
import { instant } from "#db/fragments.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";
import { isClient } from "../permissions/visibility.queries.ts";

/** An exercise of the catalog or of `userId`; undefined for anyone else's. */
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
 * An exercise of a client who currently lets `trainerId` read their history; undefined for anyone
 * else's.
 */
export async function findClientsDocument(
  { sql }: Db,
  trainerId: string,
  exerciseId: string,
): Promise<string | undefined> {
  const [row] = await sql<{ document: string }[]>`
    select document from exercises
    where id = ${exerciseId}
      and ${isClient(sql, "exercises.owner_id", trainerId, "read_history")}`;
  return row?.document;
}

/** Those of `ids` that are exercises of the catalog or of `userId`, in no order. */
export async function listVisibleIds(
  { sql }: Db,
  userId: string,
  ids: string[],
): Promise<string[]> {
  const rows = await sql<{ id: string }[]>`
    select id from exercises
    where id = any (${ids}::uuid[]) and (owner_id is null or owner_id = ${userId})`;
  return rows.map(({ id }) => id);
}

export async function findSystemDocumentBySlug(db: Db, slug: string): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where owner_id is null and slug = ${slug}`;
  return row?.document;
}

/** The document of `userId`'s own exercise with exactly that name. */
export async function findOwnDocumentByName(
  db: Db,
  userId: string,
  name: string,
): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises
    where owner_id = ${userId} and lower(name) = lower(${name}) and name = ${name}`;
  return row?.document;
}

/**
 * Renders the documents (the wire form) of the given exercises, which the transaction has locked,
 * so that reads need no joins. Every transaction that changes an exercise, or the name of something
 * that it refers to, calls this afterwards: as a statement of its own it sees what others committed
 * while the transaction waited for its locks.
 */
export async function renderDocuments({ sql }: Db, exerciseIds: string[]): Promise<void> {
  await renderedDocuments(sql, exerciseIds);
}

/**
 * Renders and returns the document of one exercise, and sends `invalidationMessage` to every
 * process when the transaction commits.
 */
export async function renderAndInvalidate(
  { sql }: Db,
  exerciseId: string,
  invalidationMessage: InvalidationMessage,
): Promise<string> {
  const [row] = await sql<{ document: string }[]>`
    with updated as (${renderedDocuments(sql, [exerciseId])} returning exercises.document)
    select document, ${invalidationSql(sql, invalidationMessage)} from updated`;
  return (row as { document: string }).document;
}

function renderedDocuments(sql: Db["sql"], exerciseIds: string[]) {
  const entries = (links: string, column: string, catalog: string) => sql`(
    select coalesce(array_agg(entry.id order by entry.id), '{}') as ids,
      (
        '[' || coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.id), '') || ']'
      )::json as json
    from ${sql(links)} as link
    join (select id, name from ${sql(catalog)}) as entry on entry.id = link.${sql(column)}
    where link.exercise_id = exercise.id
  )`;
  const primary = entries("exercise_primary_muscles", "muscle_group_id", "muscle_groups");
  const secondary = entries("exercise_secondary_muscles", "muscle_group_id", "muscle_groups");
  const equipment = entries("exercise_equipment", "equipment_id", "equipment");
  const tags = entries("exercise_tag_links", "exercise_tag_id", "exercise_tags");
  return sql`
    update exercises
    set primary_muscle_ids = rendered.primary_ids, secondary_muscle_ids = rendered.secondary_ids,
      equipment_ids = rendered.equipment_ids, tag_ids = rendered.tag_ids,
      document = rendered.document
    from (
      select exercise.id, main.ids as primary_ids, second.ids as secondary_ids,
        kit.ids as equipment_ids, tag.ids as tag_ids,
        (select row_to_json(wire)::text from (
          select exercise.id, name,
            main.json as "primaryMuscles", second.json as "secondaryMuscles",
            force, difficulty as "difficultyLevel", mechanic, kit.json as equipment,
            category, instructions,
            image_path_start as "imagePathStart", image_path_end as "imagePathEnd",
            tag.json as tags, slug, owner_id is null as "isSystemDefault", owner_id as "createdBy",
            ${instant(sql, "created_at")} as "createdAt",
            ${instant(sql, "updated_at")} as "updatedAt",
            version
        ) as wire) as document
      from exercises as exercise
      cross join lateral ${primary} as main
      cross join lateral ${secondary} as second
      cross join lateral ${equipment} as kit
      cross join lateral ${tags} as tag
      where exercise.id = any (${exerciseIds})
    ) as rendered
    where exercises.id = rendered.id`;
}
