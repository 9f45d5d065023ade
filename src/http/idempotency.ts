import { createHmac, timingSafeEqual } from "node:crypto";
import type { Db } from "#db/client.ts";
import { inAnyCase } from "../asking.ts";
import { AppError } from "../errors.ts";
import { type Claim, claimKey, freeKey, keepAnswer, renewClaim } from "./idempotency.queries.ts";
import type { Reply } from "./reply.ts";

/** A request that may be sent again: whose it is, under which key, and what it asks for. */
export type Repeatable = { userId: string; key: string; method: string; url: string; body: unknown };

/**
 * Runs a request once for all times that it is sent, and answers each as the first. `recheck` throws when what the first
 * was answered may not be told any more; it is given the body.
 */
export type Idempotently = (
  request: Repeatable,
  run: () => Reply | Promise<Reply>,
  recheck?: (body: string) => Promise<void>,
) => Promise<Reply>;

type Deps = {
  db: Db;
  /** Make fingerprints that say nothing about the request without them: the first new ones, the others those of before. */
  secrets: Uint8Array[];
  /** Called when what came of a request could not be noted; the request is answered all the same. */
  onFault(error: unknown): void;
  renewalIntervalMs?: number;
};

/** A claim that is not renewed for a minute is that of a process which is gone. */
const RENEWAL_INTERVAL_MS = 15_000;
const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Keeps successful answers for 24 hours. Throws invalid (`idempotency.key_invalid`, `idempotency.mismatch` when the key
 * came with something else before), conflict (`idempotency.in_flight`). A request that fails changes nothing and is not
 * kept. Where a process dies between a request's transaction and keeping its answer, the request is run again when it is
 * sent a minute later: ids that the client chose keep it from being done twice. What others may withdraw is checked before
 * it is told again.
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
    const fingerprints = secrets.map((secret) => createHmac("sha256", secret).update(text).digest());
    const claim = { userId, key, claimId: Bun.randomUUIDv7() };
    const kept = await claimKey(db, claim, fingerprints);
    if (!kept) return runAndKeep(deps, claim, run);
    if (!fingerprints.some((fingerprint) => timingSafeEqual(kept.fingerprint, fingerprint))) {
      throw new AppError("invalid", "idempotency.mismatch", "This Idempotency-Key came with another request before");
    }
    if (kept.status === null) {
      throw new AppError("conflict", "idempotency.in_flight", "The request with this Idempotency-Key is under way");
    }
    if (kept.body !== null) await recheck?.(kept.body);
    return { status: kept.status, body: kept.body, headers: { ...kept.headers, "idempotency-replayed": "true" } };
  };
}

async function runAndKeep(deps: Deps, claim: Claim, run: () => Reply | Promise<Reply>): Promise<Reply> {
  const { db, renewalIntervalMs = RENEWAL_INTERVAL_MS } = deps;
  // What is noted about the key is noted though the client went away: it above all asks again. It never changes the
  // answer: a request that was done stays done, and a failure its own.
  const note = (work: () => Promise<void>) => inAnyCase(work).catch(deps.onFault);
  // Where a renewal fails a retry may run as well; the claim's id then keeps the two apart.
  const renewal = setInterval(() => void note(() => renewClaim(db, claim)), renewalIntervalMs);
  try {
    const reply = await run();
    const { status, body, headers, cookies, isSecret } = reply;
    // Secrets are never kept, cookies among them: sent again, such a request is run again.
    const isKept = cookies === undefined && !isSecret && (body === null || typeof body === "string");
    await note(() => (isKept ? keepAnswer(db, claim, { status, body, headers }) : freeKey(db, claim)));
    return reply;
  } catch (error) {
    await note(() => freeKey(db, claim));
    throw error;
  } finally {
    clearInterval(renewal);
  }
}
