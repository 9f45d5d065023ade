import { afterAll, expect, test } from "bun:test";
import { makeDatabase } from "#test/own-database.ts";
import { directTestUrl, testPool } from "#test/transaction.ts";
import { openPool, type Pool } from "./client.ts";
import { migrate, readMigrations } from "./migrate.ts";

/** A migration that adds a foreign key to `users`, which locks that table against writes. */
const REFERRING = "0006_changes";
const KILLS = 20;

const drops: (() => Promise<void>)[] = [];
afterAll(() => Promise.all(drops.map((drop) => drop())));

/** A new, empty database. Like `irontrack migrate`, `open` connects without a pooler. */
async function makeEmpty(): Promise<{ name: string; open(size: number): Pool }> {
  const { name, url, drop } = await makeDatabase();
  drops.push(drop);
  return { name, open: (size) => openPool(directTestUrl(url), { size, prepare: false }) };
}

/** A description of the whole schema. */
const schemaOf = async ({ sql }: Pool) => [
  ...(await sql`
    select table_name || '.' || column_name as object, concat_ws(' ', data_type, is_nullable, column_default) as definition
    from information_schema.columns where table_schema = 'public'
    union all select conrelid::regclass || ' ' || conname, pg_get_constraintdef(oid)
    from pg_constraint where connamespace = 'public'::regnamespace
    union all select indexname, indexdef from pg_indexes where schemaname = 'public'
    union all select tgrelid::regclass || ' ' || tgname, pg_get_triggerdef(oid) from pg_trigger where not tgisinternal
    union all select oid::regprocedure::text, md5(prosrc) from pg_proc where pronamespace = 'public'::regnamespace
    union all select 'migration ' || tag, hash from schema_migrations
    order by 1, 2`),
];

test("a migration that waits for a long transaction does not block writers, and completes after it", async () => {
  const { open } = await makeEmpty();
  const db = open(4);
  const tags = readMigrations().map(({ tag }) => tag);
  await migrate(db, tags[tags.indexOf(REFERRING) - 1]);
  const locked = Promise.withResolvers<void>();
  const end = Promise.withResolvers<void>();
  const long = db.transaction(async ({ sql }) => {
    await sql`update users set name = name`;
    locked.resolve();
    await end.promise;
  });
  await locked.promise;
  const migrated = migrate(db, REFERRING);
  const observer = open(1);
  const blocked = (statement: string) => observer.sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like ${`${statement}%`}`;
  let writes = 0;
  for (let wasBlocked = false; !wasBlocked; ) {
    // A writer waits behind a migration that waits for its lock, and completes only if the migration
    // gives up.
    let isWritten = false;
    const writing = db.sql`update users set name = name`.then(() => {
      isWritten = true;
    });
    while (!isWritten) if ((await blocked("update users set name")).length > 0) wasBlocked = true;
    await writing;
    writes++;
  }
  end.resolve();
  await long;
  expect(await migrated).toEqual([REFERRING]);
  expect(writes).toBeGreaterThan(0);
  await Promise.all([db.close(), observer.close()]);
});

test(`migrations whose connection is killed up to ${KILLS} times lead to the same schema as undisturbed ones`, async () => {
  const [undisturbed, disturbed] = [await makeEmpty(), await makeEmpty()];
  const kill = () => testPool().sql`select pg_terminate_backend(pid, 1000) from pg_stat_activity
    where datname = ${disturbed.name}`;
  let [kills, attempts, failures] = [0, 0, 0];
  for (let isDone = false; !isDone; ) {
    const db = disturbed.open(1);
    let killing: Promise<unknown> | undefined;
    const killSoon = () => {
      // Two attempts at each migration are killed a few ms after their start; the third succeeds.
      if (kills >= KILLS || attempts++ % 3 === 2) return;
      kills++;
      killing = Bun.sleep(Math.random() * 8).then(kill);
    };
    isDone = await migrate(db, undefined, killSoon).then(
      () => true,
      () => false,
    );
    if (!isDone) failures++;
    await killing;
    await db.close(0);
  }
  expect(failures).toBeGreaterThanOrEqual(KILLS / 4);
  const [a, b] = [undisturbed.open(1), disturbed.open(1)];
  await migrate(a);
  const expected = await schemaOf(a);
  expect(await schemaOf(b)).toEqual(expected);
  expect(expected.length).toBeGreaterThan(100);
  await Promise.all([a.close(), b.close()]);
}, 60_000);
