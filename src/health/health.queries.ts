import type { Db } from "#db/client.ts";

/** The newest migration that the database has, or null when it has none. */
export async function findNewestMigration({ sql }: Db): Promise<string | null> {
  const [row] = await sql<{ tag: string | null }[]>`select max(tag) as tag from schema_migrations`;
  return row?.tag ?? null;
}
