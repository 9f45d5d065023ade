import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";

/** The position of the primary's WAL, as text. Every commit acknowledged before is before it. */
export async function findPrimaryPosition({ sql }: Db): Promise<string> {
  const [row] = await sql<{ position: string }[]>`select ${currentPosition(sql)}::text as position`;
  return (row as { position: string }).position;
}

/**
 * Records that `userId` has written up to now, and returns the position. Call it after the commit
 * of the write. Does not wait for the disk.
 */
export async function recordLastWrite({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ position: string }[]>`
    insert into last_writes as stored (user_id, position)
    values (${userId}, ${currentPosition(sql)})
    on conflict (user_id) do update set position = greatest(stored.position, excluded.position)
    returning position::text`;
  return (row as { position: string }).position;
}

/**
 * The position of `userId`'s last write; undefined if none is recorded, which does not mean that
 * there was none. At most the current position, which a row restored from another cluster's dump
 * could exceed.
 */
export async function findLastWrite({ sql }: Db, userId: string): Promise<string | undefined> {
  const [row] = await sql<{ position: string }[]>`
    select least(position, ${currentPosition(sql)})::text as position
    from last_writes where user_id = ${userId}`;
  return row?.position;
}

/**
 * Deletes positions that all replicas in use have replayed long ago, and those of another cluster.
 * The next read of such a user records a new one.
 */
export async function deleteOldWrites({ sql }: Db): Promise<void> {
  await sql`
    delete from last_writes
    where ${currentPosition(sql)} - position not between 0 and ${MAX_AGE_BYTES}::numeric`;
}

const MAX_AGE_BYTES = 2 ** 30;

/** Whether a replica has replayed the WAL up to `position`; false for other servers. */
export async function hasReplayed({ sql }: Db, position: string): Promise<boolean> {
  const [row] = await sql<{ hasReplayed: boolean }[]>`
    select pg_is_in_recovery()
      and coalesce(pg_last_wal_replay_lsn() >= ${position}::pg_lsn, false) as "hasReplayed"`;
  return (row as { hasReplayed: boolean }).hasReplayed;
}

/**
 * The position up to which commits are acknowledged: what is flushed, or with `synchronous_commit`
 * off what is inserted. Not always the latter, because WAL reaches a replica only once it is
 * flushed.
 */
const currentPosition = (sql: Db["sql"]): Fragment => sql`
  case current_setting('synchronous_commit')
    when 'off' then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end`;
