import { createBoundedMap } from "#lib/bounded-map.ts";
import type { Actor } from "../permissions/actor.ts";
import type { Invalidation } from "./invalidations.ts";

/**
 * What this process remembers of logins that the database confirmed. Holds nothing that may not be
 * trusted.
 */
export type LoginCache = {
  /** The cached actor of a login of that user; undefined when the database has to be queried. */
  get(login: { loginId: string; userId: string }): Actor | undefined;
  /**
   * Call before asking the database; hand the result to `remember`, which ignores answers that a
   * notice overtook.
   */
  epoch(): number;
  set(actor: Actor, epoch: number, expiresAtMs: number): void;
  /** What `notice` says must be forgotten: one login, or every login of a user. */
  invalidate(invalidation: Invalidation | "everything"): void;
  /** How often `recall` found a login that may be trusted, and not. */
  readonly lookups: { hits: number; misses: number };
};

const MAX_LOGINS = 10_000;

/** `isTrusted` says whether every notice so far has reached this process (`notices.ts`). */
export function createLoginCache(
  isFresh: () => boolean,
  nowMs: () => number = Date.now,
): LoginCache {
  const logins = createBoundedMap<string, { actor: Actor; expiresAtMs: number }>(MAX_LOGINS);
  const lookups = { hits: 0, misses: 0 };
  let epoch = 0;
  return {
    get: ({ loginId, userId }) => {
      const known = logins.get(loginId);
      if (known && known.actor.userId === userId && isFresh() && known.expiresAtMs > nowMs()) {
        lookups.hits++;
        return known.actor;
      }
      lookups.misses++;
      return undefined;
    },
    lookups,
    epoch: () => epoch,
    set: (actor, askedAt, expiresAtMs) => {
      if (askedAt === epoch) logins.set(actor.loginId, { actor, expiresAtMs });
    },
    invalidate: (invalidation) => {
      if (invalidation === "everything") logins.clear();
      else if ("loginId" in invalidation) logins.delete(invalidation.loginId);
      else if ("userId" in invalidation) {
        for (const [id, { actor }] of logins.entries())
          if (actor.userId === invalidation.userId) logins.delete(id);
      } else return;
      epoch++;
    },
  };
}
