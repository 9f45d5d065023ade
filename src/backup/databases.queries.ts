import type { Db } from "#db/client.ts";

type Found = { owner: string; connections: number };

/** A database of the server: whose it is, and how many are connected to it. */
export async function findDatabase(db: Db, name: string): Promise<Found | undefined> {
  const [found] = await db.sql<Found[]>`
    select pg_get_userbyid(datdba) as owner,
      (select count(*)::integer from pg_stat_activity where datname = ${name}) as connections
    from pg_database where datname = ${name}`;
  return found;
}

/** Makes an empty database of `template0`, owned by `owner` (the role itself when absent). */
export async function createDatabase(
  db: Db,
  name: string,
  owner: string | undefined,
): Promise<void> {
  const owned = owner === undefined ? db.sql`` : db.sql`owner ${db.sql(owner)}`;
  await db.sql`create database ${db.sql(name)} ${owned} template template0`;
}

/** Throws when somebody is connected to it. */
export const renameDatabase = (db: Db, from: string, to: string) =>
  db.sql`alter database ${db.sql(from)} rename to ${db.sql(to)}`;

/** Ends whoever is connected to it. */
export const dropDatabase = (db: Db, name: string) =>
  db.sql`drop database if exists ${db.sql(name)} with (force)`;
