import type { Db } from "#db/client.ts";
import { escapeLike } from "#db/fragments.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";

/** The three reference tables, by the name their table has. */
export type CatalogTable = "equipment" | "muscle_groups" | "exercise_tags";

export type CatalogOrder = { orderBy: "id" | "name"; sortOrder: "asc" | "desc" };

/**
 * Every entry as one JSON array of `{id, name}`, in the order asked for; `[]` when none matches.
 */
export async function listCatalogJson(
  db: Db,
  table: CatalogTable,
  search: string | undefined,
  order: CatalogOrder,
): Promise<string> {
  const { sql } = db;
  const matches = search
    ? sql`where search_form(name) like '%' || search_form(${escapeLike(search)}) || '%'`
    : sql``;
  const direction = order.sortOrder === "desc" ? sql`desc` : sql`asc`;
  const [row] = await sql<{ json: string }[]>`
    select coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.${sql(order.orderBy)} ${direction}), '') as json
    from (select id, name from ${sql(table)} ${matches}) as entry`;
  return `[${row?.json ?? ""}]`;
}

/** One entry as JSON, or undefined. */
export async function findCatalogEntryJson(
  db: Db,
  table: CatalogTable,
  id: number,
): Promise<string | undefined> {
  const [row] = await db.sql<{ json: string }[]>`
    select row_to_json(entry)::text as json from (select id, name from ${db.sql(table)} where id = ${id}) as entry`;
  return row?.json;
}

/**
 * Inserts an entry, unless one has that name; its JSON, or undefined. Breaks `<table>_name_unique`
 * in a race.
 */
export async function insertCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  name: string,
  invalidationMessage: InvalidationMessage,
): Promise<string | undefined> {
  // A refused insert would use up an id, and there are 32,767 of them.
  const [row] = await sql<{ json: string }[]>`
    with made as (
      insert into ${sql(table)} (name) select ${name} where not exists (select from ${sql(table)} where name = ${name})
      returning id, name
    )
    select row_to_json(made)::text as json, ${invalidationSql(sql, invalidationMessage)} from made`;
  return row?.json;
}

/**
 * Renames an entry; whether its name changed, or undefined when it is not there. Breaks
 * `<table>_name_unique`.
 */
export async function renameCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  id: number,
  name: string,
): Promise<boolean | undefined> {
  const [row] = await sql<{ isChanged: boolean }[]>`
    update ${sql(table)} as entry set name = ${name}
    from (select id, name from ${sql(table)} where id = ${id} for update) as before
    where entry.id = before.id returning before.name <> entry.name as "isChanged"`;
  return row?.isChanged;
}

const LINKS: Record<CatalogTable, [table: string, column: string][]> = {
  equipment: [["exercise_equipment", "equipment_id"]],
  muscle_groups: [
    ["exercise_primary_muscles", "muscle_group_id"],
    ["exercise_secondary_muscles", "muscle_group_id"],
  ],
  exercise_tags: [["exercise_tag_links", "exercise_tag_id"]],
};

/**
 * Raises the version of every exercise that refers to an entry, and so locks it until the
 * transaction ends; returns their ids. They have to be rendered yet.
 */
export async function raiseExercisesWith(
  { sql }: Db,
  table: CatalogTable,
  id: number,
): Promise<string[]> {
  const linked = LINKS[table].map(
    ([links, column], at) =>
      sql`${at === 0 ? sql`` : sql`union all`} select exercise_id from ${sql(links)} where ${sql(column)} = ${id}`,
  );
  const rows = await sql<{ id: string }[]>`
    update exercises set version = version + 1 where id in (
      select id from exercises where id in (${linked}) order by id for no key update)
    returning id`;
  return rows.map((row) => row.id);
}

/**
 * Deletes an entry; false when it is not there. Breaks a foreign key when an exercise refers to it.
 */
export async function deleteCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  id: number,
  invalidationMessage: InvalidationMessage,
): Promise<boolean> {
  const [row] = await sql<{ deleted: boolean }[]>`
    with gone as (delete from ${sql(table)} where id = ${id} returning id)
    select exists (select from gone) as deleted, ${invalidationSql(sql, invalidationMessage)}`;
  return row?.deleted ?? false;
}
