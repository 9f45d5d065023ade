import type { Db } from "#db/client.ts";

/** A row of `live_processes`; each heartbeat changes its `version`. */
export type LiveProcess = { id: string; isSettled: boolean; version: string };

type Heartbeat = {
  id: string;
  /** Earlier ids of the same process, whose rows are deleted. */
  formerIds: string[];
  /** Whether the row `id` is known to have been in the table for longer than a lease lasts. */
  isSettled: boolean;
  channel: string;
  payload: string;
};

/**
 * Sends one heartbeat: inserts or updates the row `id`, and sends `payload` to `channel`, in one
 * transaction. The row becomes settled if any row is. Returns the rows of other processes as they
 * were before.
 */
export async function sendHeartbeat(
  { sql }: Db,
  { id, formerIds, isSettled, channel, payload }: Heartbeat,
): Promise<{ isNew: boolean; others: LiveProcess[] }> {
  const [row] = await sql<{ isNew: boolean; others: LiveProcess[] | null }[]>`
    with former as (
      delete from live_processes where id = any(${formerIds}::uuid[])
    ), written as (
      insert into live_processes as stored (id, seen_at, is_settled)
      values (${id}, clock_timestamp(), exists (select from live_processes where is_settled))
      on conflict (id) do update
        set seen_at = clock_timestamp(),
          is_settled = stored.is_settled or excluded.is_settled or ${isSettled}
      returning old.id is null as is_new
    )
    select is_new as "isNew", pg_notify(${channel}, ${payload}),
      (select json_agg(json_build_object('id', id, 'isSettled', is_settled, 'version', xmin::text))
       from live_processes where id <> all(${[id, ...formerIds]}::uuid[])) as others
    from written`;
  return { isNew: row?.isNew ?? true, others: row?.others ?? [] };
}

/** All rows, in no particular order. */
export async function listLiveProcesses({ sql }: Db): Promise<LiveProcess[]> {
  return sql<LiveProcess[]>`
    select id, is_settled as "isSettled", xmin::text as version from live_processes`;
}

/** Deletes the rows of one process. */
export async function deleteOwnProcess({ sql }: Db, ids: string[]): Promise<void> {
  await sql`delete from live_processes where id = any(${ids}::uuid[])`;
}

/** Deletes the row of a process that has sent no heartbeat since `version`. */
export async function deleteDeadProcess({ sql }: Db, { id, version }: LiveProcess): Promise<void> {
  await sql`delete from live_processes where id = ${id} and xmin::text = ${version}`;
}
