import type { Db } from "#db/client.ts";

/** How a request was answered; `status` is null while it is under way. */
export type Kept = {
  fingerprint: Uint8Array;
  status: number | null;
  body: string | null;
  headers: Record<string, string> | null;
};

/**
 * Claims `key` for a request of `userId`, unless it is taken: then how that request was answered. A key is free again after
 * 24 hours; one whose request has been under way for a minute is taken over by the same request, since its process is gone.
 */
export async function claimKey(
  { sql }: Db,
  userId: string,
  key: string,
  fingerprint: Uint8Array,
): Promise<Kept | undefined> {
  const claimed = await sql`
    insert into idempotency_keys as kept (user_id, key, fingerprint, started_at)
    values (${userId}, ${key}, ${fingerprint}, clock_timestamp())
    on conflict (user_id, key) do update
      set fingerprint = excluded.fingerprint, started_at = excluded.started_at, status = null, body = null, headers = null
      where kept.started_at < clock_timestamp() - interval '24 hours'
        or kept.status is null and kept.fingerprint = excluded.fingerprint
          and kept.started_at < clock_timestamp() - interval '1 minute'
    returning true`;
  if (claimed.length > 0) return undefined;
  const [kept] = await sql<Kept[]>`
    select fingerprint, status, body, headers from idempotency_keys where user_id = ${userId} and key = ${key}`;
  // Gone between the two statements: the request failed, and may be tried again.
  return kept ?? { fingerprint, status: null, body: null, headers: null };
}

/** Keeps the answer to the request that claimed `key`. */
export async function keepAnswer(
  { sql }: Db,
  userId: string,
  key: string,
  { status, body, headers }: { status: number; body: string | null; headers: Record<string, string> },
): Promise<void> {
  await sql`
    update idempotency_keys set status = ${status}, body = ${body}, headers = ${JSON.stringify(headers)}::text::jsonb
    where user_id = ${userId} and key = ${key}`;
}

/** Frees a key whose request failed or was not to be kept. */
export async function freeKey({ sql }: Db, userId: string, key: string): Promise<void> {
  await sql`delete from idempotency_keys where user_id = ${userId} and key = ${key}`;
}

/** Deletes what is older than 24 hours. */
export async function deleteOldKeys({ sql }: Db): Promise<void> {
  await sql`delete from idempotency_keys where started_at < now() - interval '24 hours'`;
}
