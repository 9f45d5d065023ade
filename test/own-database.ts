import { type Db, openPool, type Pool } from "#db/client.ts";
import { migrate } from "#db/migrate.ts";
import { canPrepare, testDatabaseUrl, testPool } from "./transaction.ts";

export type OwnDatabase = { url: string; pool: Pool; drop(): Promise<void> };

/**
 * A migrated database with the roles and without a catalog in the run's PostgreSQL, for tests that
 * commit what others must not see.
 */
export async function makeOwnDatabase(): Promise<OwnDatabase> {
  const name = `own_${crypto.randomUUID().replaceAll("-", "")}`;
  await testPool().sql`create database ${testPool().sql(name)}`;
  const url = new URL(testDatabaseUrl());
  url.pathname = `/${name}`;
  const pool = openPool(url.href, { size: 4, prepare: canPrepare() });
  await migrateWithRoles(pool);
  return {
    url: url.href,
    pool,
    drop: async () => {
      await pool.close();
      await testPool().sql`drop database ${testPool().sql(name)} with (force)`;
    },
  };
}

/** What every account needs, and nothing else. */
export async function migrateWithRoles(db: Db): Promise<void> {
  await migrate(db);
  await db.sql`
    insert into roles (slug, name)
    values ('application-access', 'User'), ('superuser', 'Superuser'), ('fitness-trainer', 'Trainer')`;
}
