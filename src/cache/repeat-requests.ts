import { createBoundedMap } from "#lib/bounded-map.ts";
import type { Reply } from "../http/reply.ts";
import type { Actor } from "../permissions/actor.ts";
import type { CatalogCache } from "./catalog-cache.ts";

/**
 * Remembers which cached reply each actor's last requests got, so that a repeat of the same request
 * is answered without validating it and computing its cache key.
 */
export type RepeatRequests = {
  /**
   * The cached reply to the same request of the same actor: same URL, `If-None-Match` and
   * `Accept-Encoding`. Undefined if there was none, or if the cache was invalidated since.
   */
  get(actor: Actor, request: Request): Reply | undefined;
  /** Records a reply that came from the cache, without keeping it alive. */
  set(actor: Actor, request: Request, reply: Reply): void;
};

type Entry = {
  ifNoneMatch: string | null;
  acceptEncoding: string | null;
  /** The epoch of the catalog cache when the reply was recorded. */
  epoch: number;
  reply: WeakRef<Reply>;
};

const MAX_ACTORS = 2000;
const MAX_URLS_PER_ACTOR = 8;
const MAX_URL_LENGTH = 256;

/**
 * Actors are compared by identity: the login cache makes a new object when anything about a user or
 * login changes, so no entry outlives such a change.
 */
export function createRepeatRequests(cache: CatalogCache): RepeatRequests {
  type Entries = ReturnType<typeof createBoundedMap<string, Entry>>;
  const entriesByActor = createBoundedMap<Actor, Entries>(MAX_ACTORS);
  return {
    get: (actor, { url, headers }) => {
      const entry = entriesByActor.get(actor)?.get(url);
      if (
        !entry ||
        entry.ifNoneMatch !== headers.get("if-none-match") ||
        entry.acceptEncoding !== headers.get("accept-encoding")
      ) {
        return undefined;
      }
      const reply = entry.reply.deref();
      return reply && cache.isCurrent(entry.epoch) ? reply : undefined;
    },
    set: (actor, { url, headers }, reply) => {
      if (url.length > MAX_URL_LENGTH) return;
      const entries =
        entriesByActor.get(actor) ?? createBoundedMap<string, Entry>(MAX_URLS_PER_ACTOR);
      entries.set(url, {
        ifNoneMatch: headers.get("if-none-match"),
        acceptEncoding: headers.get("accept-encoding"),
        epoch: cache.epoch(),
        reply: new WeakRef(reply),
      });
      entriesByActor.set(actor, entries);
    },
  };
}
