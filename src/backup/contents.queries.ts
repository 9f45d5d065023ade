import type { Db } from "#db/client.ts";
import type { Contents } from "./manifest.ts";

/** Any number that nothing else in this database locks on. */
const LOCK_KEY = 7_106_131_403;

/**
 * Makes `tx` see one moment of the database, and gives the name by which pg_dump sees the same.
 * Nothing cuts it off: a big database takes long to read.
 */
export async function takeSnapshot(tx: Db): Promise<{ snapshot: string; takenAt: string }> {
  await tx.sql`set transaction isolation level repeatable read, read only`;
  await tx.sql`select set_config(name, '0', true)
    from unnest(array['statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']) as name`;
  const [row] = await tx.sql<{ snapshot: string; takenAt: string }[]>`
    select pg_export_snapshot() as snapshot, to_json(now()) #>> '{}' as "takenAt"`;
  return row as { snapshot: string; takenAt: string };
}

/**
 * Until the transaction ends, this is the only backup of the database that is being made; false
 * when it is not.
 */
export async function lockBackups(tx: Db): Promise<boolean> {
  const [row] = await tx.sql<
    { isOurs: boolean }[]
  >`select pg_try_advisory_xact_lock(${LOCK_KEY}) as "isOurs"`;
  return row?.isOurs ?? false;
}

/**
 * Rows and a hash of the contents of every table, by qualified name in alphabetical order. The hash
 * is a sum over the rows, since a restored table has them in another order; it tells accidents, not
 * forgeries.
 */
export async function readContents(
  db: Db,
  on: (table: string) => void = () => {},
): Promise<Contents> {
  return db.transaction(async (tx) => {
    // What a row looks like as text must not depend on whom the server's settings are for.
    await tx.sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
      set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
      set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true)`;
    const contents: Contents = {};
    for (const { name } of await listTables(tx)) {
      on(name);
      const [found] = await tx.sql<{ rows: string; hash: string }[]>`
        select count(*) as rows, coalesce(sum(('x' || md5(t::text))::bit(64)::bigint::numeric), 0) as hash
        from ${tx.sql.unsafe(name)} as t`;
      // 128 bits hold the sum of as many 64-bit numbers as a table can have rows, negative ones as
      // two's complement.
      contents[name] = {
        rows: Number(found?.rows),
        hash: BigInt.asUintN(128, BigInt(found?.hash ?? 0)).toString(16),
      };
    }
    return contents;
  });
}

const listTables = (db: Db) => db.sql<{ name: string }[]>`
  select format('%I.%I', nspname, relname) as name
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema'
    and not exists (select from pg_depend where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
  order by 1`;

/** The tag of the last migration that the database has; null when it has none. */
export async function findLastMigration(db: Db): Promise<string | null> {
  const [{ exists } = { exists: false }] = await db.sql<{ exists: boolean }[]>`
    select to_regclass('public.schema_migrations') is not null as exists`;
  if (!exists) return null;
  const [row] = await db.sql<
    { tag: string | null }[]
  >`select max(tag) as tag from schema_migrations`;
  return row?.tag ?? null;
}

/** True when the database has no table of its own. */
export const isEmpty = async (db: Db): Promise<boolean> => (await listTables(db)).length === 0;

/**
 * Looks through every table and B-tree index with PostgreSQL's amcheck, each row of a table for its
 * place in the index; gives what is corrupt, a line each. Undefined when amcheck is not there, or
 * this role may not have it.
 */
export async function findCorruption(db: Db): Promise<string[] | undefined> {
  const wasThere = (await db.sql`select from pg_extension where extname = 'amcheck'`).length > 0;
  try {
    if (!wasThere) await db.sql`create extension amcheck`;
  } catch {
    return undefined;
  }
  try {
    const heaps = await db.sql<{ found: string }[]>`
      select format('%s, block %s: %s', c.oid::regclass, blkno, msg) as found
      from pg_class as c, verify_heapam(c.oid) where relkind = 'r' and relpersistence = 'p'`;
    const indexes = await db.sql<{ oid: number; name: string }[]>`
      select c.oid, c.oid::regclass::text as name from pg_class as c join pg_am on pg_am.oid = relam
      join pg_index on indexrelid = c.oid where amname = 'btree' and indisvalid and relpersistence = 'p'`;
    const found = heaps.map((row) => row.found);
    for (const { oid, name } of indexes) {
      await db.sql`select bt_index_check(${oid}::oid::regclass, true)`.catch((error: Error) => {
        found.push(`${name}: ${error.message}`);
      });
    }
    return found;
  } finally {
    if (!wasThere) await db.sql`drop extension amcheck`;
  }
}
