import type { Fragment } from "postgres";
import type { Db } from "#db/client.ts";

/**
 * How far the primary's log is, as text. What was committed and answered before the question is
 * before it.
 */
export async function findPrimaryPosition({ sql }: Db): Promise<string> {
  const [row] = await sql<{ position: string }[]>`select ${currentPosition(sql)}::text as position`;
  return (row as { position: string }).position;
}

/**
 * Notes that `userId` has written up to now, and returns the position. For after the commit: waits
 * for no disk.
 */
export async function noteLastWrite({ sql }: Db, userId: string): Promise<string> {
  const [row] = await sql<{ position: string }[]>`
    insert into last_writes as noted (user_id, position) values (${userId}, ${currentPosition(sql)})
    on conflict (user_id) do update set position = greatest(noted.position, excluded.position)
    returning position::text`;
  return (row as { position: string }).position;
}

/**
 * The position of `userId`'s last write; undefined when none is noted, which says nothing. Never
 * beyond now, as a note that came along in a dump of another cluster could be.
 */
export async function findLastWrite({ sql }: Db, userId: string): Promise<string | undefined> {
  const [row] = await sql<{ position: string }[]>`
    select least(position, ${currentPosition(sql)})::text as position from last_writes where user_id = ${userId}`;
  return row?.position;
}

/**
 * Forgets what every replica in use has long replayed, and what came from elsewhere; whom it
 * concerns is noted anew.
 */
export async function deleteOldWrites({ sql }: Db): Promise<void> {
  await sql`
    delete from last_writes where ${currentPosition(sql)} - position not between 0 and ${FORGOTTEN_BYTES}::numeric`;
}

const FORGOTTEN_BYTES = 2 ** 30;

/**
 * Asked of a replica: whether it shows everything up to `position`. False of a server that is no
 * replica (any more).
 */
export async function hasReplayed({ sql }: Db, position: string): Promise<boolean> {
  const [row] = await sql<{ yes: boolean }[]>`
    select pg_is_in_recovery() and coalesce(pg_last_wal_replay_lsn() >= ${position}::pg_lsn, false) as yes`;
  return (row as { yes: boolean }).yes;
}

/**
 * A commit is answered once it is flushed, unless the operator gave that up: then once it is
 * inserted. Not always the latter, since nothing sends a replica what nobody flushes.
 */
const currentPosition = (sql: Db["sql"]): Fragment => sql`
  case current_setting('synchronous_commit') when 'off' then pg_current_wal_insert_lsn() else pg_current_wal_flush_lsn() end`;
