import type { Db } from "#db/client.ts";

type DatabaseState = { newestMigration: string | null; isWritable: boolean };

/** The newest migration in the database (null if there is none), and whether it accepts writes. */
export async function findDatabaseState({ sql }: Db): Promise<DatabaseState> {
  const [row] = await sql<DatabaseState[]>`
    select max(tag) as "newestMigration",
      not (pg_is_in_recovery() or current_setting('transaction_read_only')::boolean)
        as "isWritable"
    from schema_migrations`;
  return row ?? { newestMigration: null, isWritable: false };
}
