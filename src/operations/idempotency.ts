import { createHmac, timingSafeEqual } from "node:crypto";
import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Reply } from "../http/reply.ts";
import { detached } from "../http/request-context.ts";
import { type Claim, claimKey, freeKey, renewClaim, storeResponse } from "./idempotency.queries.ts";

/** A request with an Idempotency-Key. */
export type Repeatable = {
  userId: string;
  key: string;
  method: string;
  url: string;
  body: unknown;
};

/**
 * Runs a request once, and answers its retries with the stored response. `recheck` gets the body of
 * the stored response, and throws if the user may no longer see it.
 */
export type Idempotently = (
  request: Repeatable,
  run: () => Reply | Promise<Reply>,
  recheck?: (body: string) => Promise<void>,
) => Promise<Reply>;

type Deps = {
  db: Db;
  /**
   * Keys of the fingerprints (HMAC): the first for new requests, the others for requests from
   * before a key rotation.
   */
  secrets: Uint8Array[];
  /** Called if the outcome of a request could not be stored. The request is answered normally. */
  onFault(error: unknown): void;
  renewalIntervalMs?: number;
};

/** A claim that has not been renewed for a minute belongs to a dead process. */
const RENEWAL_INTERVAL_MS = 15_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Stores successful answers for 24 hours. Throws invalid (`idempotency.key_invalid`;
 * `idempotency.mismatch` if the key came with another request before), conflict
 * (`idempotency.in_flight`). A request that fails changes nothing, and its answer is not stored. If
 * a process dies between a request's transaction and storing the answer, a retry after a minute
 * runs the request again: ids that the client chose keep it from taking effect twice. Before a
 * stored answer is replayed, `recheck` checks the user's present permission.
 */
export function createIdempotency(deps: Deps): Idempotently {
  const { db, secrets } = deps;
  return async ({ userId, key, method, url, body }, run, recheck) => {
    if (!KEY.test(key)) {
      throw new AppError(
        "invalid",
        "idempotency.key_invalid",
        "Idempotency-Key must be 1 to 255 visible ASCII characters",
      );
    }
    const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
    const text = JSON.stringify([method, path, body]);
    const fingerprints = secrets.map((secret) =>
      createHmac("sha256", secret).update(text).digest(),
    );
    const claim = { userId, key, claimId: Bun.randomUUIDv7() };
    const earlier = await claimKey(db, claim, fingerprints);
    if (!earlier) return runAndStore(deps, claim, run);
    if (!fingerprints.some((fingerprint) => timingSafeEqual(earlier.fingerprint, fingerprint))) {
      throw new AppError(
        "invalid",
        "idempotency.mismatch",
        "This Idempotency-Key came with another request before",
      );
    }
    if (earlier.status === null) {
      throw new AppError(
        "conflict",
        "idempotency.in_flight",
        "The request with this Idempotency-Key is under way",
      );
    }
    if (earlier.body !== null) await recheck?.(earlier.body);
    return {
      status: earlier.status,
      body: earlier.body,
      headers: { ...earlier.headers, "idempotency-replayed": "true" },
    };
  };
}

async function runAndStore(
  deps: Deps,
  claim: Claim,
  run: () => Reply | Promise<Reply>,
): Promise<Reply> {
  const { db, renewalIntervalMs = RENEWAL_INTERVAL_MS } = deps;
  // Recorded even if the client hangs up, since such a client is the most likely to retry. A
  // failure to record does not change the answer.
  const record = (work: () => Promise<void>) => detached(work).catch(deps.onFault);
  // If a renewal fails, a retry may run at the same time; the claim's id then keeps the two apart.
  const renewal = setInterval(() => void record(() => renewClaim(db, claim)), renewalIntervalMs);
  try {
    const reply = await run();
    const { status, body, headers, cookies, isSecret } = reply;
    // Secrets, cookies included, are never stored, so a retry runs the request again.
    const isStorable =
      cookies === undefined && !isSecret && (body === null || typeof body === "string");
    await record(() =>
      isStorable ? storeResponse(db, claim, { status, body, headers }) : freeKey(db, claim),
    );
    return reply;
  } catch (error) {
    await record(() => freeKey(db, claim));
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
