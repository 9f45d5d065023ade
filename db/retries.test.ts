import { afterAll, expect, test } from "bun:test";
import { postgresError } from "#lib/causes.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { type Db, openPool, type Pool } from "./client.ts";

const database = await makeOwnDatabase();
const pools: Pool[] = [];
afterAll(async () => {
  await Promise.all(pools.map((pool) => pool.close(0)));
  await database.drop();
});
await database.pool.sql`create table rows (name text primary key, count int not null default 0)`;
await database.pool.sql`insert into rows (name) values ('a'), ('b')`;

function open(maxRetries: number): Pool {
  const admission = {
    context: () => undefined,
    maxRequests: 100,
    maxQueued: 100,
    maxWaitMs: 10_000,
    maxRetries,
    slowMs: 1_000_000,
    onSlow: () => {},
  };
  const pool = openPool(database.url, { size: 4, prepare: false, admission });
  pools.push(pool);
  return pool;
}

const add = ({ sql }: Db, name: string) =>
  sql`update rows set count = count + 1 where name = ${name}`.execute();
const counts = async () =>
  (await database.pool.sql`select count from rows order by name`).map(({ count }) => count);

/** Two transactions that deadlock: each locks its first row before the other one needs it. */
function deadlock(db: Db) {
  const locked = { a: Promise.withResolvers<void>(), b: Promise.withResolvers<void>() };
  let runs = 0;
  const update = (first: "a" | "b", second: "a" | "b") =>
    db.transaction(async (tx) => {
      runs++;
      await add(tx, first);
      locked[first].resolve();
      await locked[second].promise;
      await add(tx, second);
      return first;
    });
  return { work: Promise.allSettled([update("a", "b"), update("b", "a")]), runs: () => runs };
}

test("two transactions that deadlock are both committed, one of them after a retry", async () => {
  const db = open(20);
  const before = await counts();
  const { work, runs } = deadlock(db);
  expect((await work).map((outcome) => "value" in outcome && outcome.value)).toEqual(["a", "b"]);
  const retries = db.stats?.retries as number;
  // On a busy machine the retry may deadlock again.
  expect(retries).toBeGreaterThan(0);
  expect([runs(), db.stats?.inUse]).toEqual([2 + retries, 0]);
  expect(await counts()).toEqual(before.map((count) => count + 2));
});

test("without retries one of them fails with a deadlock and is rolled back", async () => {
  const db = open(0);
  const before = await counts();
  const { work } = deadlock(db);
  const failed = (await work).flatMap((outcome) => ("reason" in outcome ? [outcome.reason] : []));
  expect(failed.map((error) => postgresError(error)?.code)).toEqual(["40P01"]);
  expect(await counts()).toEqual(before.map((count) => count + 1));
});

test("a statement outside of a transaction is retried after a deadlock, and answered once", async () => {
  const db = open(20);
  const before = await counts();
  const rival = Promise.withResolvers<void>();
  const held = Promise.withResolvers<void>();
  // PostgreSQL aborts the transaction that detects the deadlock. The long timeout of the rival
  // makes that the statement.
  const rivals = database.pool.transaction(async (tx) => {
    await tx.sql`set local deadlock_timeout = '1min'`;
    await add(tx, "b");
    held.resolve();
    await rival.promise;
    await add(tx, "a");
  });
  await held.promise;
  // Locks a, then waits for b.
  const both = db.sql<{ name: string }[]>`
    with a as (update rows set count = count + 1 where name = 'a' returning name),
    b as (update rows set count = count + 1 from a where rows.name = 'b' returning rows.name)
    select name from a union all select name from b order by name`.execute();
  const waiting = () => database.pool.sql`
    select from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock'`;
  while ((await waiting()).length === 0) await Bun.sleep(5);
  rival.resolve();
  expect((await both).map(({ name }) => name)).toEqual(["a", "b"]);
  await rivals;
  expect(db.stats?.retries).toBeGreaterThan(0);
  expect(db.stats?.inUse).toBe(0);
  expect(await counts()).toEqual(before.map((count) => count + 2));
});

test("a transaction that fails for another reason is not retried", async () => {
  const db = open(2);
  let runs = 0;
  const work = db.transaction(async (tx) => {
    runs++;
    await tx.sql`insert into rows (name) values ('a')`;
  });
  expect(await work.catch((error) => postgresError(error)?.code)).toBe("23505");
  expect([runs, db.stats?.retries]).toEqual([1, 0]);
});
