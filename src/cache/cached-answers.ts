import type { Reply } from "../http/reply.ts";
import { type CachedReply, cachedReply, negotiate } from "./cached-reply.ts";
import type { Audience, CatalogCache, Computed } from "./catalog-cache.ts";

/** A computed answer as JSON, its audience, and further entries to cache. */
export type ComputedAnswer = { json: string } & Pick<Computed<unknown>, "audience" | "also">;

/** The size of an entry beside its text: its replies with their headers. */
const ENTRY_BYTES = 4096;

/** Answers from the cache; on a miss, computes the answer and caches it. */
export function answerFromCache(
  cache: CatalogCache,
  request: Request,
  key: string,
  audience: Audience,
  compute: () => Promise<ComputedAnswer>,
): Reply | Promise<Reply> {
  const cached = cache.get<CachedReply>(key, audience);
  if (cached) return negotiate(cached, request);
  const load = async () => {
    const { json, ...entry } = await compute();
    // Half as much again for the gzipped form, which the first request for it creates.
    return { ...entry, value: cachedReply(json), bytes: json.length * 1.5 + ENTRY_BYTES };
  };
  return cache.load(key, audience, load).then((reply) => negotiate(reply, request));
}

/**
 * The audience under which to look up a single thing that may belong to the catalog or to the user:
 * everyone if the cache has it for everyone, else the user.
 */
export const lookupAudience = (cache: CatalogCache, key: string, userId: string): Audience =>
  cache.get(key, null) === undefined ? userId : null;

const cacheKeys = new WeakMap<object, { resource: string; key: string }>();

/**
 * The cache key of a validated query about `resource`: the same for any order of the query's
 * fields. Leaves out `scope`, which the lists add themselves. Computed once for each query object;
 * `checkInputs` returns the same object for the same text.
 */
export function cacheKey(resource: string, query: Record<string, unknown>): string {
  const known = cacheKeys.get(query);
  if (known?.resource === resource) return known.key;
  const fields = Object.entries(query)
    .filter(([name]) => name !== "scope")
    .map(([name, value]): [string, unknown] => [
      name,
      Array.isArray(value) ? [...new Set(value)].sort((a, b) => a - b) : value,
    ])
    .sort(([a], [b]) => (a < b ? -1 : 1));
  const key = `${resource}?${JSON.stringify(fields)}`;
  cacheKeys.set(query, { resource, key });
  return key;
}
