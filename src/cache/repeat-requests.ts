import { createBoundedMap } from "#lib/bounded-map.ts";
import type { Reply } from "../http/reply.ts";
import type { Actor } from "../permissions/actor.ts";
import type { CatalogCache } from "./catalog-cache.ts";

/** What was answered from memory, by who asked for it in which words. */
export type RepeatRequests = {
  /**
   * The same answer, when the same person asks the same in the same words and nothing was forgotten
   * since; else undefined.
   */
  again(actor: Actor, request: Request): Reply | undefined;
  /** Notes what was just answered from memory, without keeping it there. */
  note(actor: Actor, request: Request, reply: Reply): void;
};

type Answered = {
  ifNoneMatch: string | null;
  acceptEncoding: string | null;
  epoch: number;
  reply: WeakRef<Reply>;
};

const MAX_ACTORS = 2000;
const MAX_URLS_PER_USER = 8;
const MAX_URL_LENGTH = 256;

/**
 * An actor is another object whenever something about them changes (`LoginMemory`), so none is
 * recognised for too long.
 */
export function createRepeatRequests(memory: CatalogCache): RepeatRequests {
  const answeredTo = createBoundedMap<Actor, ReturnType<typeof createBoundedMap<string, Answered>>>(
    MAX_ACTORS,
  );
  return {
    again: (actor, { url, headers }) => {
      const answered = answeredTo.get(actor)?.get(url);
      if (
        !answered ||
        answered.ifNoneMatch !== headers.get("if-none-match") ||
        answered.acceptEncoding !== headers.get("accept-encoding")
      ) {
        return undefined;
      }
      const reply = answered.reply.deref();
      return reply && memory.isCurrent(answered.epoch) ? reply : undefined;
    },
    note: (actor, { url, headers }, reply) => {
      if (url.length > MAX_URL_LENGTH) return;
      const answered =
        answeredTo.get(actor) ?? createBoundedMap<string, Answered>(MAX_URLS_PER_USER);
      const words = {
        ifNoneMatch: headers.get("if-none-match"),
        acceptEncoding: headers.get("accept-encoding"),
      };
      answered.set(url, { ...words, epoch: memory.epoch(), reply: new WeakRef(reply) });
      answeredTo.set(actor, answered);
    },
  };
}
