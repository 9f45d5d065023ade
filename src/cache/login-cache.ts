import { createBoundedMap } from "#lib/bounded-map.ts";
import type { Actor } from "../permissions/actor.ts";
import type { Invalidation } from "./invalidations.ts";

/**
 * This process's cache of logins that the database confirmed. Entries that an invalidation may have
 * missed are never returned.
 */
export type LoginCache = {
  /** The cached actor of that user's login; undefined when the database has to be queried. */
  get(login: { loginId: string; userId: string }): Actor | undefined;
  /** Counts invalidations. Read it before querying the database, and pass it to `set`. */
  epoch(): number;
  /** Caches an actor that was queried at `epoch`, unless an invalidation arrived since. */
  set(actor: Actor, epoch: number, expiresAtMs: number): void;
  /** Drops what the invalidation names: one login, all logins of a user, or everything. */
  invalidate(invalidation: Invalidation | "everything"): void;
  readonly lookups: { hits: number; misses: number };
};

const MAX_LOGINS = 10_000;

/** `isFresh` says whether every invalidation so far is known to have arrived in this process. */
export function createLoginCache(
  isFresh: () => boolean,
  nowMs: () => number = Date.now,
): LoginCache {
  const logins = createBoundedMap<string, { actor: Actor; expiresAtMs: number }>(MAX_LOGINS);
  const lookups = { hits: 0, misses: 0 };
  let epoch = 0;
  return {
    get: ({ loginId, userId }) => {
      const login = logins.get(loginId);
      if (login && login.actor.userId === userId && isFresh() && login.expiresAtMs > nowMs()) {
        lookups.hits++;
        return login.actor;
      }
      lookups.misses++;
      return undefined;
    },
    lookups,
    epoch: () => epoch,
    set: (actor, queriedAtEpoch, expiresAtMs) => {
      if (queriedAtEpoch === epoch) logins.set(actor.loginId, { actor, expiresAtMs });
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
