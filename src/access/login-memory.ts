import type { Actor } from "../actor.ts";
import { createBoundedMap } from "../bounded-map.ts";

/** What this process remembers of logins that the database confirmed. Holds nothing that may not be trusted. */
export type LoginMemory = {
  /** The actor of a login, or undefined when the database has to be asked. */
  recall(loginId: string): Actor | undefined;
  /** Call before asking the database; hand the result to `remember`, which ignores answers that a notice overtook. */
  epoch(): number;
  remember(actor: Actor, epoch: number, expiresAtMs: number): void;
  /** Forgets one login, or every login of a user. */
  forget(what: { loginId: string } | { userId: string }): void;
  forgetAll(): void;
};

const MAX_LOGINS = 10_000;

/** `isTrusted` says whether every notice of a revocation so far has reached this process (`revocations.ts`). */
export function createLoginMemory(isTrusted: () => boolean, nowMs: () => number = Date.now): LoginMemory {
  const logins = createBoundedMap<string, { actor: Actor; expiresAtMs: number }>(MAX_LOGINS);
  let epoch = 0;
  return {
    recall: (loginId) => {
      const known = logins.get(loginId);
      return known && isTrusted() && known.expiresAtMs > nowMs() ? known.actor : undefined;
    },
    epoch: () => epoch,
    remember: (actor, askedAt, expiresAtMs) => {
      if (askedAt === epoch) logins.set(actor.loginId, { actor, expiresAtMs });
    },
    forget: (what) => {
      epoch++;
      if ("loginId" in what) logins.delete(what.loginId);
      else for (const [id, { actor }] of logins.entries()) if (actor.userId === what.userId) logins.delete(id);
    },
    forgetAll: () => {
      epoch++;
      logins.clear();
    },
  };
}
