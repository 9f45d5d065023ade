import { type Db, openPool, type Pool } from "#db/client.ts";
import { migrate } from "#db/migrate.ts";
import { canPrepare, testDatabaseUrl, testPool } from "./transaction.ts";

export type OwnDatabase = { url: string; pool: Pool; drop(): Promise<void> };

/** A migrated database with the roles and without a catalog, for tests that must commit. */
export async function makeOwnDatabase(): Promise<OwnDatabase> {
  const { url, drop } = await makeDatabase();
  const pool = openPool(url, { size: 4, prepare: canPrepare() });
  await migrateWithRoles(pool);
  return {
    url,
    pool,
    drop: async () => {
      await pool.close();
      await drop();
    },
  };
}

/** A database in the PostgreSQL of this run: empty, or a copy of `template`. */
export async function makeDatabase(
  template = "template1",
): Promise<{ name: string; url: string; drop(): Promise<void> }> {
  const { sql } = testPool();
  const name = `test_${crypto.randomUUID().replaceAll("-", "")}`;
  await sql`create database ${sql(name)} template ${sql(template)}`;
  return {
    name,
    url: urlOf(name),
    drop: async () => void (await sql`drop database ${sql(name)} with (force)`),
  };
}

/** The URL of a database in the PostgreSQL of this run. */
export const urlOf = (database: string): string =>
  Object.assign(new URL(testDatabaseUrl()), { pathname: `/${database}` }).href;

/** Creates the tables and the roles, which every account needs. */
export async function migrateWithRoles(db: Db): Promise<void> {
  await migrate(db);
  await db.sql`
    insert into roles (slug, name)
    values ('application-access', 'User'), ('superuser', 'Superuser'), ('fitness-trainer', 'Trainer')`;
}
