import type { Db } from "#db/client.ts";

/** The three reference tables, by the name their table has. */
export type CatalogTable = "equipment" | "muscle_groups" | "exercise_tags";

export type CatalogOrder = { orderBy: "id" | "name"; sortOrder: "asc" | "desc" };

/** Every entry as one JSON array of `{id, name}`, in the order asked for; `[]` when none matches. */
export async function listCatalogJson(
  db: Db,
  table: CatalogTable,
  search: string | undefined,
  order: CatalogOrder,
): Promise<string> {
  const { sql } = db;
  const matches = search ? sql`where search_form(name) like '%' || search_form(${escapeLike(search)}) || '%'` : sql``;
  const direction = order.sortOrder === "desc" ? sql`desc` : sql`asc`;
  const [row] = await sql<{ json: string }[]>`
    select coalesce(string_agg(row_to_json(entry)::text, ',' order by entry.${sql(order.orderBy)} ${direction}), '') as json
    from (select id, name from ${sql(table)} ${matches}) as entry`;
  return `[${row?.json ?? ""}]`;
}

/** One entry as JSON, or undefined. */
export async function findCatalogEntryJson(db: Db, table: CatalogTable, id: number): Promise<string | undefined> {
  const [row] = await db.sql<{ json: string }[]>`
    select row_to_json(entry)::text as json from (select id, name from ${db.sql(table)} where id = ${id}) as entry`;
  return row?.json;
}

/** Makes `%`, `_` and `\` ordinary characters of a LIKE pattern. */
export const escapeLike = (text: string): string => text.replace(/[\\%_]/g, "\\$&");
