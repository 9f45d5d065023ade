import type { Db } from "#db/client.ts";

/** The request that holds a key, and its response; `status` is null while it is in progress. */
export type StoredRequest = {
  fingerprint: Uint8Array;
  status: number | null;
  body: string | null;
  headers: Record<string, string> | null;
};

/** A user's key, claimed by one request; each claim has a new `claimId`. */
export type Claim = { userId: string; key: string; claimId: string };

/**
 * Claims a key for a request, and returns undefined; if the key is taken, returns the stored response
 * of its request. A key is free again after 24 hours. A retry takes over a claim that was neither
 * answered nor renewed for a minute: its process has died. Stores the first of `fingerprints`;
 * requests are equal if they share any of them.
 */
export async function claimKey(
  { sql }: Db,
  claim: Claim,
  fingerprints: Uint8Array[],
): Promise<StoredRequest | undefined> {
  const { userId, key, claimId } = claim;
  const [fingerprint] = fingerprints as [Uint8Array];
  const claimed = await sql`
    insert into idempotency_keys as kept (user_id, key, claim_id, fingerprint, started_at)
    values (${userId}, ${key}, ${claimId}, ${fingerprint}, clock_timestamp())
    on conflict (user_id, key) do update
      set claim_id = excluded.claim_id, fingerprint = excluded.fingerprint,
        started_at = excluded.started_at, status = null, body = null, headers = null
      where kept.started_at < clock_timestamp() - interval '24 hours'
        or kept.status is null and kept.fingerprint in ${sql(fingerprints)}
          and kept.started_at < clock_timestamp() - interval '1 minute'
    returning true`;
  if (claimed.length > 0) return undefined;
  const [kept] = await sql<StoredRequest[]>`
    select fingerprint, status, body, headers
    from idempotency_keys
    where user_id = ${userId} and key = ${key}`;
  // Deleted between the two statements: the request failed, and may be retried.
  return kept ?? { fingerprint, status: null, body: null, headers: null };
}

/**
 * Renews the claim of a request that is still running. Does nothing if another request has taken
 * the key over.
 */
export async function renewClaim({ sql }: Db, claim: Claim): Promise<void> {
  await sql`
    update idempotency_keys set started_at = clock_timestamp()
    where ${heldBy(sql, claim)} and status is null`;
}

/**
 * Stores the answer to the request of `claim`. Does nothing if another request has taken the key
 * over.
 */
export async function storeResponse(
  { sql }: Db,
  claim: Claim,
  response: { status: number; body: string | null; headers: Record<string, string> },
): Promise<void> {
  const { status, body, headers } = response;
  await sql`
    update idempotency_keys
    set status = ${status}, body = ${body}, headers = ${JSON.stringify(headers)}::text::jsonb
    where ${heldBy(sql, claim)}`;
}

/**
 * Frees a key whose answer is not stored. Does nothing if another request has taken the key over.
 */
export async function freeKey({ sql }: Db, claim: Claim): Promise<void> {
  await sql`delete from idempotency_keys where ${heldBy(sql, claim)}`;
}

const heldBy = (sql: Db["sql"], { userId, key, claimId }: Claim) =>
  sql`user_id = ${userId} and key = ${key} and claim_id = ${claimId}`;

/** Deletes keys that are older than 24 hours. */
export async function deleteOldKeys({ sql }: Db): Promise<void> {
  await sql`delete from idempotency_keys where started_at < now() - interval '24 hours'`;
}
