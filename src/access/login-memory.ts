import type { Actor } from "../actor.ts";
import { createBoundedMap } from "../bounded-map.ts";
import type { Notice } from "../notices.ts";

/** What this process remembers of logins that the database confirmed. Holds nothing that may not be trusted. */
export type LoginMemory = {
  /** The cached actor of a login of that user; undefined when the database has to be queried. */
  recall(login: { loginId: string; userId: string }): Actor | undefined;
  /** Call before asking the database; hand the result to `remember`, which ignores answers that a notice overtook. */
  epoch(): number;
  remember(actor: Actor, epoch: number, expiresAtMs: number): void;
  /** What `notice` says must be forgotten: one login, or every login of a user. */
  forget(notice: Notice | "everything"): void;
  /** How often `recall` found a login that may be trusted, and not. */
  readonly recalls: { hits: number; misses: number };
};

const MAX_LOGINS = 10_000;

/** `isTrusted` says whether every notice so far has reached this process (`notices.ts`). */
export function createLoginMemory(isTrusted: () => boolean, nowMs: () => number = Date.now): LoginMemory {
  const logins = createBoundedMap<string, { actor: Actor; expiresAtMs: number }>(MAX_LOGINS);
  const recalls = { hits: 0, misses: 0 };
  let epoch = 0;
  return {
    recall: ({ loginId, userId }) => {
      const known = logins.get(loginId);
      if (known && known.actor.userId === userId && isTrusted() && known.expiresAtMs > nowMs()) {
        recalls.hits++;
        return known.actor;
      }
      recalls.misses++;
      return undefined;
    },
    recalls,
    epoch: () => epoch,
    remember: (actor, askedAt, expiresAtMs) => {
      if (askedAt === epoch) logins.set(actor.loginId, { actor, expiresAtMs });
    },
    forget: (notice) => {
      if (notice === "everything") logins.clear();
      else if ("loginId" in notice) logins.delete(notice.loginId);
      else if ("userId" in notice) {
        for (const [id, { actor }] of logins.entries()) if (actor.userId === notice.userId) logins.delete(id);
      } else return;
      epoch++;
    },
  };
}
