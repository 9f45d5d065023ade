import { expect, test } from "bun:test";
import { openPool, type Pool } from "#db/client.ts";
import { makeOwnDatabase } from "#test/own-database.ts";
import { directTestUrl, testPool } from "#test/transaction.ts";
import { SEED_PARTS, seedCatalog } from "./catalog.ts";
import { readCatalog } from "./read-catalog.ts";

const CONCURRENT = 6;
const KILLS = 6;
const catalog = readCatalog();

/** Runs `work` on a migrated database. `open` connects to it without a pooler. */
async function onOwnDatabase(
  work: (open: (onStatement?: (statement: string) => void) => Pool, name: string) => Promise<void>,
) {
  const database = await makeOwnDatabase();
  const pools: Pool[] = [];
  const open = (onStatement: (statement: string) => void = () => {}) => {
    const pool = openPool(directTestUrl(database.url), { size: 1, prepare: false, onStatement });
    pools.push(pool);
    return pool;
  };
  try {
    await work(open, new URL(database.url).pathname.slice(1));
  } finally {
    await Promise.all(pools.map((pool) => pool.close(0)));
    await database.drop();
  }
}

/** Sums of the transaction ids that wrote the seeded rows; rewriting a row changes a sum. */
const writersOf = async ({ sql }: Pool) =>
  Promise.all(
    [
      "roles",
      "equipment",
      "muscle_groups",
      "exercise_tags",
      "exercises",
      "exercise_primary_muscles",
    ].map(
      async (table) => (await sql`select count(*), sum(xmin::text::bigint) from ${sql(table)}`)[0],
    ),
  );

test(`one of ${CONCURRENT} concurrent seeds adds everything, and a later one writes no row`, () =>
  onOwnDatabase(async (open) => {
    const pool = open();
    const reports = await Promise.all(
      Array.from({ length: CONCURRENT }, () => seedCatalog(open(), catalog)),
    );
    const added = reports.map((parts) => parts.find(({ part }) => part === "exercises")?.added);
    expect(added.sort()).toEqual([...Array(CONCURRENT - 1).fill(0), catalog.exercises.length]);
    const before = await writersOf(pool);
    await seedCatalog(pool, catalog);
    expect(await writersOf(pool)).toEqual(before);
  }));

test(`a seed whose connection is killed, ${KILLS} times at different statements, leaves nothing or everything`, () =>
  onOwnDatabase(async (open, name) => {
    const pool = open();
    const [own] = await pool.sql<{ pid: number }[]>`select pg_backend_pid() as pid`;
    const count = async () =>
      (await pool.sql`select count(*)::int as count from exercises`)[0]?.count as number;
    let statements = 0;
    await seedCatalog(
      open(() => statements++),
      catalog,
    );
    await pool.sql`delete from exercises`;
    const counts = new Set<number>();
    for (let kill = 0; kill < KILLS; kill++) {
      let remaining = Math.ceil((statements * (kill + 0.5)) / KILLS);
      const killed = Promise.withResolvers<void>();
      const killLater = () => {
        if (--remaining !== 0) return;
        const terminated = testPool()
          .sql`select pg_terminate_backend(pid, 5000) from pg_stat_activity
          where datname = ${name} and pid <> ${own?.pid as number}`;
        terminated.then(() => killed.resolve(), killed.reject);
      };
      await seedCatalog(open(killLater), catalog).catch(() => {});
      await killed.promise;
      counts.add(await count());
      await pool.sql`delete from exercises`;
    }
    for (const result of counts) expect([0, catalog.exercises.length]).toContain(result);
    expect(counts.has(0)).toBe(true);
    await seedCatalog(open(), catalog);
    expect(await count()).toBe(catalog.exercises.length);
  }));

test("a seed that deadlocks with a change of a role is retried and completes", () =>
  onOwnDatabase(async (open) => {
    const pool = open();
    await seedCatalog(pool, catalog);
    const rolesLocked = Promise.withResolvers<void>();
    const equipmentLocked = Promise.withResolvers<void>();
    const rival = open().transaction(async ({ sql }) => {
      // PostgreSQL aborts the transaction that detects the deadlock. The long timeout of the rival
      // makes that the seed.
      await sql`set local deadlock_timeout = '1min'`;
      await sql`lock table equipment in exclusive mode`;
      equipmentLocked.resolve();
      await rolesLocked.promise;
      await sql`update roles set name = name where slug = 'superuser'`;
    });
    await equipmentLocked.promise;
    // The seed sends this statement after it has locked the roles.
    const seeding = open((statement) => {
      if (statement.includes('insert into "equipment"')) rolesLocked.resolve();
    });
    await pool.sql`delete from exercises where slug = 'box-jump'`;
    const reports = await seedCatalog(seeding, catalog);
    await rival;
    expect(reports.find(({ part }) => part === "exercises")).toMatchObject({ added: 1 });
    expect(reports.map(({ part }) => part)).toEqual([...SEED_PARTS]);
  }));
