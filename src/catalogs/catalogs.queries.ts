import type { Db } from "#db/client.ts";
import { escapeLike } from "#db/fragments.ts";
import { type InvalidationMessage, invalidationSql } from "../cache/invalidations.ts";

/** The reference tables by name. */
export type CatalogTable = "equipment" | "muscle_groups" | "exercise_tags";

export type CatalogOrder = { orderBy: "id" | "name"; sortOrder: "asc" | "desc" };

/** The matching entries as a JSON array of `{id, name}` in the given order; `[]` if none match. */
export async function listCatalogJson(
  { sql }: Db,
  table: CatalogTable,
  search: string | undefined,
  order: CatalogOrder,
): Promise<string> {
  const matches = search
    ? sql`where search_form(name) like '%' || search_form(${escapeLike(search)}) || '%'`
    : sql``;
  const direction = order.sortOrder === "desc" ? sql`desc` : sql`asc`;
  const [row] = await sql<{ json: string }[]>`
    select coalesce(
        string_agg(row_to_json(entry)::text, ',' order by entry.${sql(order.orderBy)} ${direction}),
        '') as json
    from (select id, name from ${sql(table)} ${matches}) as entry`;
  return `[${row?.json ?? ""}]`;
}

/** One entry as JSON, or undefined. */
export async function findCatalogEntryJson(
  { sql }: Db,
  table: CatalogTable,
  id: number,
): Promise<string | undefined> {
  const [row] = await sql<{ json: string }[]>`
    select row_to_json(entry)::text as json
    from (select id, name from ${sql(table)} where id = ${id}) as entry`;
  return row?.json;
}

/**
 * Inserts an entry and returns it as JSON; undefined if the name is taken. If another transaction
 * inserts the name at the same time, violates `<table>_name_unique`.
 */
export async function insertCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  name: string,
  invalidationMessage: InvalidationMessage,
): Promise<string | undefined> {
  // Without the check a refused insert would consume an id, and there are only 32,767.
  const [row] = await sql<{ json: string }[]>`
    with inserted as (
      insert into ${sql(table)} (name)
      select ${name}
      where not exists (select from ${sql(table)} where name = ${name})
      returning id, name
    )
    select row_to_json(inserted)::text as json, ${invalidationSql(sql, invalidationMessage)}
    from inserted`;
  return row?.json;
}

/**
 * Renames an entry. Returns whether its name changed; undefined if it does not exist. Violates
 * `<table>_name_unique`.
 */
export async function renameCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  id: number,
  name: string,
): Promise<boolean | undefined> {
  const [row] = await sql<{ isChanged: boolean }[]>`
    update ${sql(table)} as entry
    set name = ${name}
    from (select id, name from ${sql(table)} where id = ${id} for update) as before
    where entry.id = before.id
    returning before.name <> entry.name as "isChanged"`;
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
 * Increments the version of every exercise that refers to an entry, which locks the exercises until
 * the transaction ends, and returns their ids. The caller renders their documents afterwards.
 */
export async function incrementVersionsWith(
  { sql }: Db,
  table: CatalogTable,
  id: number,
): Promise<string[]> {
  const linked = LINKS[table].map(
    ([links, column], index) => sql`${index === 0 ? sql`` : sql`union all`}
      select exercise_id from ${sql(links)} where ${sql(column)} = ${id}`,
  );
  const rows = await sql<{ id: string }[]>`
    update exercises
    set version = version + 1
    where id in (select id from exercises where id in (${linked}) order by id for no key update)
    returning id`;
  return rows.map((row) => row.id);
}

/**
 * Deletes an entry; false if it does not exist. Violates a foreign key if an exercise refers to it.
 */
export async function deleteCatalogEntry(
  { sql }: Db,
  table: CatalogTable,
  id: number,
  invalidationMessage: InvalidationMessage,
): Promise<boolean> {
  const [row] = await sql<{ deleted: boolean }[]>`
    with deleted as (delete from ${sql(table)} where id = ${id} returning id)
    select exists (select from deleted) as deleted, ${invalidationSql(sql, invalidationMessage)}`;
  return row?.deleted ?? false;
}
