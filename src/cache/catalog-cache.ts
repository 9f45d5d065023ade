import { refusalOf } from "#db/errors.ts";
import { keepAliveForJoiners } from "../http/request-context.ts";
import type { Invalidation } from "./invalidations.ts";

/** The user to whom an answer may be shown; null for everyone, if it shows only the catalog. */
export type Audience = string | null;

export type CacheEntry = { key: string; audience: Audience; value: unknown; bytes: number };

/** A computed answer, its audience, and further entries that the computation yields. */
export type Computed<T> = { value: T; audience: Audience; bytes: number; also?: CacheEntry[] };

/**
 * This process's cache of answers about the catalog and users' own exercises, exact in every
 * process (ADR 0010). Entries that an invalidation may have missed are never returned. Every entry
 * and computation has an audience, and only a caller that names the same audience gets it.
 */
export type CatalogCache = {
  /** The cached answer; undefined when the database has to be queried. */
  get<T>(key: string, audience: Audience): T | undefined;
  /**
   * Computes an answer once for all callers that ask for the same key and audience meanwhile
   * (joiners), and caches it unless an invalidation arrives during the computation. Throws if the
   * result is for another audience: then nothing is cached, and no joiner gets it. If the caller
   * that started the computation is refused (503), its joiners compute the answer once more.
   */
  load<T>(key: string, audience: Audience, compute: () => Promise<Computed<T>>): Promise<T>;
  invalidate(invalidation: Invalidation | "everything"): void;
  /** Counts invalidations. */
  epoch(): number;
  /** Whether what was cached at `epoch` may still be returned. If so, counts a hit. */
  isCurrent(epoch: number): boolean;
  readonly bytes: number;
  readonly lookups: { hits: number; misses: number };
};

/** A computation under way, which callers may join. */
type Flight = { isInvalidated: boolean; result: Promise<Computed<unknown>> };

/**
 * `isFresh` says whether every invalidation so far is known to have arrived in this process. Beyond
 * `limitBytes` the least recently used entries are evicted.
 */
export function createCatalogCache(isFresh: () => boolean, limitBytes: number): CatalogCache {
  const entries = createByAudience<CacheEntry>();
  const byUse = new Set<CacheEntry>();
  const flights = createByAudience<Flight>();
  const lookups = { hits: 0, misses: 0 };
  let bytes = 0;
  let epoch = 0;

  const drop = (entry: CacheEntry) => {
    entries.delete(entry.audience, entry.key);
    byUse.delete(entry);
    bytes -= entry.bytes;
  };
  const set = (entry: CacheEntry) => {
    const replaced = entries.get(entry.audience, entry.key);
    if (replaced) drop(replaced);
    if (entry.bytes > limitBytes) return;
    entries.set(entry.audience, entry.key, entry);
    byUse.add(entry);
    bytes += entry.bytes;
    for (const oldest of byUse) {
      if (bytes <= limitBytes) break;
      drop(oldest);
    }
  };
  /** Marks computations that may have read the old state, so that their results are not cached. */
  const markInvalidated = (running: Iterable<Flight>) => {
    for (const flight of running) flight.isInvalidated = true;
  };
  const start = async <T>(key: string, audience: Audience, compute: () => Promise<Computed<T>>) => {
    const result = keepAliveForJoiners(compute).then((computed) =>
      requireAudience(computed, audience),
    );
    const flight: Flight = { isInvalidated: false, result };
    flights.set(audience, key, flight);
    try {
      const { value, also = [], ...rest } = await result;
      if (!flight.isInvalidated) for (const entry of [{ key, value, ...rest }, ...also]) set(entry);
      return value;
    } finally {
      if (flights.get(audience, key) === flight) flights.delete(audience, key);
    }
  };

  return {
    get: <T>(key: string, audience: Audience) => {
      const entry = entries.get(audience, key);
      if (!entry || !isFresh()) {
        lookups.misses++;
        return undefined;
      }
      lookups.hits++;
      // The order of use matters only when entries may soon be evicted.
      if (bytes * 2 > limitBytes) {
        byUse.delete(entry);
        byUse.add(entry);
      }
      return entry.value as T;
    },
    load: async <T>(key: string, audience: Audience, compute: () => Promise<Computed<T>>) => {
      for (let joinCount = 0; ; joinCount++) {
        if (!isFresh()) return requireAudience(await compute(), audience).value;
        const running = flights.get(audience, key);
        if (!running) return await start(key, audience, compute);
        try {
          return (await running.result).value as T;
        } catch (error) {
          // The refusal was meant for the caller that started the computation. After a second one
          // this caller has waited long enough itself.
          if (joinCount > 0 || refusalOf(error) === undefined) throw error;
        }
      }
    },
    invalidate: (invalidation) => {
      if (invalidation === "everything" || "catalog" in invalidation) {
        entries.clear();
        byUse.clear();
        bytes = 0;
        markInvalidated(flights.all());
        flights.clear();
      } else if ("exercisesOf" in invalidation) {
        const ownerId = invalidation.exercisesOf;
        for (const entry of [...entries.of(ownerId)]) drop(entry);
        markInvalidated(flights.of(ownerId));
        flights.deleteAll(ownerId);
      } else return;
      epoch++;
    },
    epoch: () => epoch,
    isCurrent: (cachedAtEpoch) => {
      const isCurrent = cachedAtEpoch === epoch && isFresh();
      if (isCurrent) lookups.hits++;
      return isCurrent;
    },
    lookups,
    get bytes() {
      return bytes;
    },
  };
}

/** Returns `computed` if all of it is for `audience` or for everyone; throws otherwise. */
function requireAudience<T>(computed: Computed<T>, audience: Audience): Computed<T> {
  for (const result of [computed, ...(computed.also ?? [])]) {
    if (result.audience !== null && result.audience !== audience)
      throw new Error("An answer was computed for another audience than the caller's");
  }
  return computed;
}

/** A map with keys of two parts: an audience, and a key. */
function createByAudience<T>() {
  const audiences = new Map<Audience, Map<string, T>>();
  return {
    get: (audience: Audience, key: string) => audiences.get(audience)?.get(key),
    set: (audience: Audience, key: string, value: T) => {
      const values = audiences.get(audience) ?? new Map<string, T>();
      audiences.set(audience, values.set(key, value));
    },
    delete: (audience: Audience, key: string) => {
      const values = audiences.get(audience);
      values?.delete(key);
      if (values?.size === 0) audiences.delete(audience);
    },
    of: (audience: Audience): Iterable<T> => audiences.get(audience)?.values() ?? [],
    all: (): Iterable<T> => [...audiences.values()].flatMap((values) => [...values.values()]),
    deleteAll: (audience: Audience) => void audiences.delete(audience),
    clear: () => audiences.clear(),
  };
}
