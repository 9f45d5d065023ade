import { afterAll, expect, test } from "bun:test";
import { makeDatabase } from "#test/own-database.ts";
import { testPool } from "#test/transaction.ts";
import { openPool, type Pool } from "./client.ts";
import { migrate, migrationStates, readMigrations } from "./migrate.ts";

const cleanups: (() => Promise<void>)[] = [];
afterAll(async () => {
  for (const cleanup of cleanups) await cleanup();
});

async function openEmptyDatabase(): Promise<Pool> {
  const { url, drop } = await makeDatabase();
  const pool = openPool(url, { size: 4, prepare: false });
  cleanups.push(() => pool.close(), drop);
  return pool;
}

const tags = readMigrations().map(({ tag }) => tag);

test("each migration is applied once when many processes migrate at the same time", async () => {
  const db = await openEmptyDatabase();
  const applied = await Promise.all([1, 2, 3, 4].map(() => migrate(db)));
  expect(applied.flat().sort()).toEqual(tags);
  expect((await migrationStates(db)).every(({ appliedAt }) => appliedAt !== null)).toBe(true);
  expect(await migrate(db)).toEqual([]);
});

test("a database can be migrated up to a given migration, and later further", async () => {
  const db = await openEmptyDatabase();
  expect(await migrate(db, tags[0])).toEqual([tags[0] as string]);
  expect(await migrate(db)).toEqual(tags.slice(1));
});

test("a database that is newer than the code, or of which a migration was edited, is refused and not changed", async () => {
  const db = await openEmptyDatabase();
  await migrate(db);
  await db.sql`insert into schema_migrations (tag, hash) values ('9999_future', 'x')`;
  await expect(migrate(db)).rejects.toThrow("9999_future, which this version does not know");
  await expect(migrationStates(db)).rejects.toThrow("9999_future");
  await db.sql`delete from schema_migrations where tag = '9999_future'`;
  await db.sql`update schema_migrations set hash = 'edited' where tag = ${tags[0] as string}`;
  await expect(migrate(db)).rejects.toThrow("was edited");
});

test("every foreign key has an index that begins with it, and every constraint follows the naming convention", async () => {
  const unindexed = await testPool().sql`
    select conname from pg_constraint
    where contype = 'f' and connamespace = 'public'::regnamespace and not exists (
      select from pg_index where indrelid = conrelid and indkey[0] = conkey[1]
    )`;
  expect(unindexed.map(({ conname }) => conname)).toEqual([]);
  const constraints = await testPool().sql<{ name: string; table: string }[]>`
    select conname as name, conrelid::regclass::text as table from pg_constraint
    where connamespace = 'public'::regnamespace and contype not in ('n', 't')`;
  for (const { name, table } of constraints)
    expect(name).toMatch(new RegExp(`^${table}_(.*_)?(pkey|fkey|unique|check)$`));
});
