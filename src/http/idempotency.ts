import { createHmac, timingSafeEqual } from "node:crypto";
import type { Db } from "#db/client.ts";
import { inAnyCase } from "../asking.ts";
import { AppError } from "../errors.ts";
import { claimKey, freeKey, keepAnswer } from "./idempotency.queries.ts";
import type { Reply } from "./reply.ts";

/** A request that may be sent again: whose it is, under which key, and what it asks for. */
export type Repeatable = { userId: string; key: string; method: string; url: string; body: unknown };

/** Runs a request once for all times that it is sent, and answers each as the first. */
export type Idempotently = (request: Repeatable, run: () => Reply | Promise<Reply>) => Promise<Reply>;

const KEY = /^[\x21-\x7e]{1,255}$/;

/**
 * Keeps successful answers for 24 hours. Throws invalid (`idempotency.key_invalid`, `idempotency.mismatch` when the key
 * came with something else before), conflict (`idempotency.in_flight`). A request that fails changes nothing and is not
 * kept. Where a process dies between a request's transaction and keeping its answer, the request is run again when it is
 * sent a minute later: ids that the client chose keep it from being done twice.
 */
export function createIdempotency(db: Db, secret: Uint8Array): Idempotently {
  return async ({ userId, key, method, url, body }, run) => {
    if (!KEY.test(key)) {
      throw new AppError(
        "invalid",
        "idempotency.key_invalid",
        "Idempotency-Key must be 1 to 255 visible ASCII characters",
      );
    }
    const path = url.slice(url.indexOf("/", url.indexOf("//") + 2));
    const fingerprint = createHmac("sha256", secret)
      .update(JSON.stringify([method, path, body]))
      .digest();
    const kept = await claimKey(db, userId, key, fingerprint);
    if (!kept) return runAndKeep(db, userId, key, run);
    if (!timingSafeEqual(kept.fingerprint, fingerprint)) {
      throw new AppError("invalid", "idempotency.mismatch", "This Idempotency-Key came with another request before");
    }
    if (kept.status === null) {
      throw new AppError("conflict", "idempotency.in_flight", "The request with this Idempotency-Key is under way");
    }
    return { status: kept.status, body: kept.body, headers: { ...kept.headers, "idempotency-replayed": "true" } };
  };
}

async function runAndKeep(db: Db, userId: string, key: string, run: () => Reply | Promise<Reply>): Promise<Reply> {
  try {
    const reply = await run();
    const { status, body, headers, cookies, isSecret } = reply;
    // Secrets are never kept, cookies among them: sent again, such a request is run again.
    const isKept = cookies === undefined && !isSecret && (body === null || typeof body === "string");
    // A client that went away asks again under its key: for it above all the answer is kept.
    await inAnyCase(() => (isKept ? keepAnswer(db, userId, key, { status, body, headers }) : freeKey(db, userId, key)));
    return reply;
  } catch (error) {
    await inAnyCase(() => freeKey(db, userId, key));
    throw error;
  }
}
