import type { Db } from "#db/client.ts";

/**
 * The newest migration that the database has, or null when it has none; and whether it takes
 * writes.
 */
export async function findDatabaseState({
  sql,
}: Db): Promise<{ newestMigration: string | null; isWritable: boolean }> {
  const [row] = await sql<{ newestMigration: string | null; isWritable: boolean }[]>`
    select max(tag) as "newestMigration",
      not (pg_is_in_recovery() or current_setting('transaction_read_only')::boolean) as "isWritable"
    from schema_migrations`;
  return row ?? { newestMigration: null, isWritable: false };
}
