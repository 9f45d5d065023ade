import type { Db } from "#db/client.ts";
import type { Contents } from "./manifest.ts";

/** A number that no other advisory lock in this database uses. */
const LOCK_KEY = 7_106_131_403;

/**
 * Makes `tx` read one snapshot, and exports it for pg_dump. Turns time limits off, because reading
 * a large database takes long.
 */
export async function takeSnapshot(tx: Db): Promise<{ snapshot: string; takenAt: string }> {
  await tx.sql`set transaction isolation level repeatable read, read only`;
  await tx.sql`select set_config(name, '0', true)
    from unnest(array[
      'statement_timeout', 'idle_in_transaction_session_timeout', 'transaction_timeout']) as name`;
  const [row] = await tx.sql<{ snapshot: string; takenAt: string }[]>`
    select pg_export_snapshot() as snapshot, to_json(now()) #>> '{}' as "takenAt"`;
  return row as { snapshot: string; takenAt: string };
}

/** Locks backups of the database until the transaction ends; false if another one is running. */
export async function lockBackups(tx: Db): Promise<boolean> {
  const [row] = await tx.sql<{ isLocked: boolean }[]>`
    select pg_try_advisory_xact_lock(${LOCK_KEY}) as "isLocked"`;
  return row?.isLocked ?? false;
}

/**
 * Counts and hashes the rows of every table, by qualified name in alphabetical order. The hash is a
 * sum over the rows, because a restored table has them in another order. It detects accidents, not
 * forgeries.
 */
export async function readContents(
  db: Db,
  onTable: (table: string) => void = () => {},
): Promise<Contents> {
  return db.transaction(async (tx) => {
    // The text form of a row must not depend on settings of the server or role.
    await tx.sql`select set_config('timezone', 'UTC', true), set_config('datestyle', 'ISO', true),
      set_config('intervalstyle', 'postgres', true), set_config('bytea_output', 'hex', true),
      set_config('extra_float_digits', '1', true), set_config('statement_timeout', '0', true)`;
    const contents: Contents = {};
    for (const { name } of await listTables(tx)) {
      onTable(name);
      const [totals] = await tx.sql<{ rows: string; hash: string }[]>`
        select count(*) as rows,
          coalesce(sum(('x' || md5(t::text))::bit(64)::bigint::numeric), 0) as hash
        from ${tx.sql.unsafe(name)} as t`;
      // 128 bits suffice for the sum of 64-bit numbers over any table; negative sums are two's
      // complement.
      contents[name] = {
        rows: Number(totals?.rows),
        hash: BigInt.asUintN(128, BigInt(totals?.hash ?? 0)).toString(16),
      };
    }
    return contents;
  });
}

const listTables = (db: Db) => db.sql<{ name: string }[]>`
  select format('%I.%I', nspname, relname) as name
  from pg_class join pg_namespace on pg_namespace.oid = relnamespace
  where relkind = 'r' and nspname !~ '^pg_' and nspname <> 'information_schema'
    and not exists (
      select from pg_depend
      where classid = 'pg_class'::regclass and objid = pg_class.oid and deptype = 'e')
  order by 1`;

/** The tag of the last migration in the database; null if it has none. */
export async function findLastMigration(db: Db): Promise<string | null> {
  const [{ exists } = { exists: false }] = await db.sql<{ exists: boolean }[]>`
    select to_regclass('public.schema_migrations') is not null as exists`;
  if (!exists) return null;
  const [row] = await db.sql<{ tag: string | null }[]>`
    select max(tag) as tag from schema_migrations`;
  return row?.tag ?? null;
}

/** Whether the database has no tables. */
export const isEmpty = async (db: Db): Promise<boolean> => (await listTables(db)).length === 0;

/**
 * Checks every table and B-tree index with PostgreSQL's amcheck, including that each row is in the
 * index. Returns a line for each corruption; undefined if amcheck is not installed and this role
 * may not create it.
 */
export async function findCorruption(db: Db): Promise<string[] | undefined> {
  const isInstalled = (await db.sql`select from pg_extension where extname = 'amcheck'`).length > 0;
  try {
    if (!isInstalled) await db.sql`create extension amcheck`;
  } catch {
    return undefined;
  }
  try {
    const heapFaults = await db.sql<{ fault: string }[]>`
      select format('%s, block %s: %s', c.oid::regclass, blkno, msg) as fault
      from pg_class as c, verify_heapam(c.oid) where relkind = 'r' and relpersistence = 'p'`;
    const indexes = await db.sql<{ oid: number; name: string }[]>`
      select c.oid, c.oid::regclass::text as name
      from pg_class as c join pg_am on pg_am.oid = relam join pg_index on indexrelid = c.oid
      where amname = 'btree' and indisvalid and relpersistence = 'p'`;
    const faults = heapFaults.map(({ fault }) => fault);
    for (const { oid, name } of indexes) {
      await db.sql`select bt_index_check(${oid}::oid::regclass, true)`.catch((error: Error) => {
        faults.push(`${name}: ${error.message}`);
      });
    }
    return faults;
  } finally {
    if (!isInstalled) await db.sql`drop extension amcheck`;
  }
}
