import type { Db } from "#db/client.ts";

type ServerDatabase = { owner: string; connections: number };

/** The owner of a database, and the number of connections to it. */
export async function findDatabase(db: Db, name: string): Promise<ServerDatabase | undefined> {
  const [database] = await db.sql<ServerDatabase[]>`
    select pg_get_userbyid(datdba) as owner,
      (select count(*)::integer from pg_stat_activity where datname = ${name}) as connections
    from pg_database where datname = ${name}`;
  return database;
}

/** Creates an empty database from `template0`; `owner` defaults to the current role. */
export async function createDatabase(
  db: Db,
  name: string,
  owner: string | undefined,
): Promise<void> {
  const ownerClause = owner === undefined ? db.sql`` : db.sql`owner ${db.sql(owner)}`;
  await db.sql`create database ${db.sql(name)} ${ownerClause} template template0`;
}

/** Throws if there are connections to the database. */
export const renameDatabase = (db: Db, from: string, to: string) =>
  db.sql`alter database ${db.sql(from)} rename to ${db.sql(to)}`;

/** Closes all connections to the database. */
export const dropDatabase = (db: Db, name: string) =>
  db.sql`drop database if exists ${db.sql(name)} with (force)`;
