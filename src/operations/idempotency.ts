import { createHmac, timingSafeEqual } from "node:crypto";
import type { Db } from "#db/client.ts";
import { AppError } from "#lib/errors.ts";
import type { Reply } from "../http/reply.ts";
import { detached } from "../http/request-context.ts";
import { type Claim, claimKey, freeKey, keepAnswer, renewClaim } from "./idempotency.queries.ts";

/** A request that may be sent again: whose it is, under which key, and what it asks for. */
export type Repeatable = {
  userId: string;
  key: string;
  method: string;
  url: string;
  body: unknown;
};

/**
 * Runs a request once, and answers its retries with the stored answer. `recheck` gets the body of
 * the stored answer, and throws if the user may no longer see it.
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
  /**
   * Called when the outcome of a request could not be stored; the request is answered all the same.
   */
  onFault(error: unknown): void;
  renewalIntervalMs?: number;
};

/** A claim that is not renewed for a minute counts as that of a dead process. */
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
    const kept = await claimKey(db, claim, fingerprints);
    if (!kept) return runAndKeep(deps, claim, run);
    if (!fingerprints.some((fingerprint) => timingSafeEqual(kept.fingerprint, fingerprint))) {
      throw new AppError(
        "invalid",
        "idempotency.mismatch",
        "This Idempotency-Key came with another request before",
      );
    }
    if (kept.status === null) {
      throw new AppError(
        "conflict",
        "idempotency.in_flight",
        "The request with this Idempotency-Key is under way",
      );
    }
    if (kept.body !== null) await recheck?.(kept.body);
    return {
      status: kept.status,
      body: kept.body,
      headers: { ...kept.headers, "idempotency-replayed": "true" },
    };
  };
}

async function runAndKeep(
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
    // Secrets are never kept, cookies among them: sent again, such a request is run again.
    const isKept =
      cookies === undefined && !isSecret && (body === null || typeof body === "string");
    await record(() =>
      isKept ? keepAnswer(db, claim, { status, body, headers }) : freeKey(db, claim),
    );
    return reply;
  } catch (error) {
    await record(() => freeKey(db, claim));
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
