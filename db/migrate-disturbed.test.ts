import { afterAll, expect, test } from "bun:test";
import { directTestUrl, testPool } from "#test/transaction.ts";
import { openPool, type Pool } from "./client.ts";
import { migrate, readMigrations } from "./migrate.ts";

/** Refers to `users`, which it locks against writing. */
const REFERRING = "0006_changes";
const KILLS = 20;

const databases: string[] = [];
afterAll(async () => {
  for (const name of databases)
    await testPool().sql`drop database ${testPool().sql(name)} with (force)`;
});

/**
 * How to connect to a new, empty database of the test cluster, as migrations do: past any pooler.
 */
async function makeEmpty(): Promise<{ name: string; open(size: number): Pool }> {
  const name = `migrate_${crypto.randomUUID().replaceAll("-", "")}`;
  await testPool().sql`create database ${testPool().sql(name)}`;
  databases.push(name);
  const url = Object.assign(new URL(directTestUrl()), { pathname: `/${name}` }).href;
  return { name, open: (size) => openPool(url, { size, prepare: false }) };
}

/** All that there is in the schema, as PostgreSQL describes it. */
const schemaOf = async ({ sql }: Pool) => [
  ...(await sql`
    select table_name || '.' || column_name as what, concat_ws(' ', data_type, is_nullable, column_default) as how
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
  const held = Promise.withResolvers<void>();
  const over = Promise.withResolvers<void>();
  const long = db.transaction(async ({ sql }) => {
    await sql`update users set name = name`;
    held.resolve();
    await over.promise;
  });
  await held.promise;
  const migrated = migrate(db, REFERRING);
  const observer = open(1);
  const heldUp = (statement: string) => observer.sql`
    select from pg_stat_activity
    where datname = current_database() and wait_event_type = 'Lock' and query like ${`${statement}%`}`;
  let passed = 0;
  for (let wasHeldUp = false; !wasHeldUp; ) {
    // Behind a migration that waits for its lock, a writer waits too; it ends only if the migration
    // gives up.
    let isWritten = false;
    const writing = db.sql`update users set name = name`.then(() => {
      isWritten = true;
    });
    while (!isWritten) if ((await heldUp("update users set name")).length > 0) wasHeldUp = true;
    await writing;
    passed++;
  }
  over.resolve();
  await long;
  expect(await migrated).toEqual([REFERRING]);
  expect(passed).toBeGreaterThan(0);
  await Promise.all([db.close(), observer.close()]);
});

test(`migrations that are cut off up to ${KILLS} times, somewhere in one, come to the same schema as undisturbed ones`, async () => {
  const [undisturbed, disturbed] = [await makeEmpty(), await makeEmpty()];
  const kill = () => testPool().sql`select pg_terminate_backend(pid, 1000) from pg_stat_activity
    where datname = ${disturbed.name}`;
  let [kills, begun, cutOffs] = [0, 0, 0];
  for (let isDone = false; !isDone; ) {
    const db = disturbed.open(1);
    let killing: Promise<unknown> | undefined;
    const cutOff = () => {
      // Two tries of each are killed, a few ms after their beginning; the third is let through.
      if (kills >= KILLS || begun++ % 3 === 2) return;
      kills++;
      killing = Bun.sleep(Math.random() * 8).then(kill);
    };
    isDone = await migrate(db, undefined, cutOff).then(
      () => true,
      () => false,
    );
    if (!isDone) cutOffs++;
    await killing;
    await db.close(0);
  }
  expect(cutOffs).toBeGreaterThanOrEqual(KILLS / 4);
  const [a, b] = [undisturbed.open(1), disturbed.open(1)];
  await migrate(a);
  const expected = await schemaOf(a);
  expect(await schemaOf(b)).toEqual(expected);
  expect(expected.length).toBeGreaterThan(100);
  await Promise.all([a.close(), b.close()]);
}, 60_000);
