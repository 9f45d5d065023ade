import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";
import { escapeLike } from "../catalogs/catalogs.queries.ts";
import type { PageWindow } from "../http/page.ts";
import type { ListExercises } from "./exercises.schemas.ts";

/** One page of documents, joined by commas, and how many exercises match in all. */
export type DocumentPage = { documents: string; total: number };

/** The exercises that `userId` may see and that fit `question`, in its order, ties by id. One statement. */
export async function listDocuments(
  db: Db,
  userId: string,
  question: ListExercises,
  { limit, offset }: PageWindow,
): Promise<DocumentPage> {
  const { sql } = db;
  const order = question.sortOrder === "desc" ? sql`desc` : sql`asc`;
  // The page is chosen on narrow rows before anything wide is read: 4 to 11 times the naive join (ADR 0006).
  const [page] = await sql<DocumentPage[]>`
    with matching as (
      select id, ${sortKey(db, question)} as sort_key from exercises
      where ${conditions(db, userId, question)}
    ), page as (
      select id, sort_key from matching order by sort_key ${order}, id ${order} limit ${limit} offset ${offset}
    )
    select (select count(*) from matching)::int as total,
      (select coalesce(string_agg(document, ',' order by page.sort_key ${order}, page.id ${order}), '')
       from page join exercises using (id)) as documents`;
  return page as DocumentPage;
}

/** The document of an exercise of the catalog or of `userId`'s own; undefined for anyone else's. */
export async function findDocument(db: Db, userId: string, exerciseId: string): Promise<string | undefined> {
  const [row] = await db.sql<{ document: string }[]>`
    select document from exercises where id = ${exerciseId} and (owner_id is null or owner_id = ${userId})`;
  return row?.document;
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
 * Renders what the given exercises look like on the wire. Whatever changes an exercise, or the name of something it
 * refers to, calls this in the same transaction: readers are then served bytes that need no join.
 */
export async function renderDocuments(db: Db, exerciseIds: string[]): Promise<void> {
  const { sql } = db;
  const entries = (links: string, catalog: string, column: string) => sql`(
    select ('[' || coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.id), '') || ']')::json
    from (
      select catalog.id, catalog.name from ${sql(links)} as link
      join ${sql(catalog)} as catalog on catalog.id = link.${sql(column)}
      where link.exercise_id = exercises.id
    ) as entry
  )`;
  await sql`
    update exercises set document = (
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
    ) where id = any (${exerciseIds})`;
}

function visibleIn({ sql }: Db, scope: "system" | "user" | "all", userId: string): Fragment {
  if (scope === "system") return sql`owner_id is null`;
  if (scope === "user") return sql`owner_id = ${userId}`;
  return sql`(owner_id is null or owner_id = ${userId})`;
}

/** Never empty: postgres.js takes an empty array of fragments for a parameter. */
function conditions(db: Db, userId: string, question: ListExercises): Fragment[] {
  const { sql } = db;
  const clauses: Fragment[] = [visibleIn(db, question.scope ?? "all", userId)];
  const linked = (links: string, column: string, ids: number[] | undefined) => {
    if (!ids?.length) return;
    clauses.push(sql`and exists (
      select from ${sql(links)} as link where link.exercise_id = exercises.id and link.${sql(column)} = any (${ids}::smallint[])
    )`);
  };
  linked("exercise_primary_muscles", "muscle_group_id", question.primaryMuscles);
  linked("exercise_secondary_muscles", "muscle_group_id", question.secondaryMuscles);
  linked("exercise_equipment", "equipment_id", question.equipment);
  linked("exercise_tag_links", "exercise_tag_id", question.tags);
  if (question.category) clauses.push(sql`and category = ${question.category}`);
  if (question.difficultyLevel) clauses.push(sql`and difficulty = ${question.difficultyLevel}`);
  if (question.force) clauses.push(sql`and force = ${question.force}`);
  if (question.mechanic) clauses.push(sql`and mechanic = ${question.mechanic}`);
  for (const word of wordsOf(question.searchString)) {
    clauses.push(sql`and search_text like '%' || search_form(${escapeLike(word)}) || '%'`);
  }
  return clauses;
}

const wordsOf = (search: string | undefined): string[] => (search ?? "").split(/\s+/u).filter((word) => word !== "");

function sortKey({ sql }: Db, { orderBy, searchString }: ListExercises): Fragment {
  switch (orderBy) {
    case "difficultyLevel":
      return sql`case difficulty when 'beginner' then 1 when 'intermediate' then 2 else 3 end`;
    case "category":
      return sql`category`;
    case "createdAt":
      return sql`created_at`;
    case "updatedAt":
      return sql`updated_at`;
    case "relevance":
      // The best match first in ascending order, like every other list.
      if (searchString) return sql`(1 - similarity(search_form(name), search_form(${searchString})))`;
      return sql`lower(name)`;
    default:
      return sql`lower(name)`;
  }
}
