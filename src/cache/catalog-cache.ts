import { refusalOf } from "#db/errors.ts";
import { keepAliveForJoiners } from "../http/request-context.ts";
import type { Invalidation } from "./invalidations.ts";

/**
 * The user to whom an answer may be shown; null for everyone, if it shows nothing but the catalog.
 */
export type Audience = string | null;

/** A cache entry: a value, the complete question that it answers, and its audience. */
export type CacheEntry = { question: string; audience: Audience; value: unknown; bytes: number };

/**
 * A computed answer, its audience, and further entries that the computation yields for the cache.
 */
export type Computed<T> = { value: T; audience: Audience; bytes: number; also?: CacheEntry[] };

/**
 * This process's cache of answers about the catalog and users' own exercises, exact in every
 * process (ADR 0010). Every entry and every computation has an audience, and only a caller that
 * names the same audience finds it.
 */
export type CatalogCache = {
  /**
   * The cached answer to `question` for `audience`; undefined when the database has to be queried.
   */
  get<T>(question: string, audience: Audience): T | undefined;
  /**
   * Computes an answer once for all callers that ask the same question for the same audience
   * meanwhile (joiners), and caches it unless an invalidation arrived during the computation.
   * Throws if the result is for another audience: then nothing is cached, and no joiner gets it. If
   * the starter is refused (503), its joiners compute the answer once more.
   */
  load<T>(question: string, audience: Audience, compute: () => Promise<Computed<T>>): Promise<T>;
  /** Drops what `notice` invalidates. */
  invalidate(invalidation: Invalidation | "everything"): void;
  /** Counts invalidations. */
  epoch(): number;
  /**
   * Whether what was recalled at `epoch` may be given again, whatever it was made of: then it is a
   * hit like `recall`'s.
   */
  isCurrent(epoch: number): boolean;
  readonly bytes: number;
  /** How often `recall` found something, and not. */
  readonly lookups: { hits: number; misses: number };
};

/** A computation under way, which callers may join. */
type Flight = { isOvertaken: boolean; result: Promise<Computed<unknown>> };

/**
 * `isTrusted` says whether every notice so far has reached this process; the longest unused go
 * beyond `limitBytes`.
 */
export function createCatalogCache(isFresh: () => boolean, limitBytes: number): CatalogCache {
  const entries = createByAudience<CacheEntry>();
  const byUse = new Set<CacheEntry>();
  const flights = createByAudience<Flight>();
  const lookups = { hits: 0, misses: 0 };
  let bytes = 0;
  let epoch = 0;

  const drop = (entry: CacheEntry) => {
    entries.delete(entry.audience, entry.question);
    byUse.delete(entry);
    bytes -= entry.bytes;
  };
  const set = (entry: CacheEntry) => {
    const known = entries.get(entry.audience, entry.question);
    if (known) drop(known);
    if (entry.bytes > limitBytes) return;
    entries.set(entry.audience, entry.question, entry);
    byUse.add(entry);
    bytes += entry.bytes;
    for (const oldest of byUse) {
      if (bytes <= limitBytes) break;
      drop(oldest);
    }
  };
  /** Marks computations that may have read the old state: their results are not cached. */
  const overtake = (flying: Iterable<Flight>) => {
    for (const flight of flying) flight.isOvertaken = true;
  };
  const start = async <T>(
    question: string,
    audience: Audience,
    compute: () => Promise<Computed<T>>,
  ) => {
    const result = keepAliveForJoiners(compute).then((computed) =>
      requireAudience(computed, audience),
    );
    const flight: Flight = { isOvertaken: false, result };
    flights.set(audience, question, flight);
    try {
      const { value, also = [], ...entry } = await result;
      if (!flight.isOvertaken)
        for (const cached of [{ question, value, ...entry }, ...also]) set(cached);
      return value;
    } finally {
      if (flights.get(audience, question) === flight) flights.delete(audience, question);
    }
  };

  return {
    get: <T>(question: string, audience: Audience) => {
      const entry = entries.get(audience, question);
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
    load: async <T>(question: string, audience: Audience, compute: () => Promise<Computed<T>>) => {
      for (let joinCount = 0; ; joinCount++) {
        if (!isFresh()) return requireAudience(await compute(), audience).value;
        const running = flights.get(audience, question);
        if (!running) return await start(question, audience, compute);
        try {
          return (await running.result).value as T;
        } catch (error) {
          // The refusal was meant for the starter. After a second one, this caller has waited long
          // enough itself.
          if (joinCount > 0 || refusalOf(error) === undefined) throw error;
        }
      }
    },
    invalidate: (invalidation) => {
      if (invalidation === "everything" || "catalog" in invalidation) {
        entries.clear();
        byUse.clear();
        bytes = 0;
        overtake(flights.all());
        flights.clear();
      } else if ("exercisesOf" in invalidation) {
        const ownerId = invalidation.exercisesOf;
        for (const entry of [...entries.of(ownerId)]) drop(entry);
        overtake(flights.of(ownerId));
        flights.deleteAll(ownerId);
      } else return;
      epoch++;
    },
    epoch: () => epoch,
    isCurrent: (of) => {
      const isCurrent = of === epoch && isFresh();
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
      throw new Error("An answer was computed for another audience than the one that asked");
  }
  return computed;
}

/** Values by audience and question. */
function createByAudience<T>() {
  const audiences = new Map<Audience, Map<string, T>>();
  return {
    get: (audience: Audience, question: string) => audiences.get(audience)?.get(question),
    set: (audience: Audience, question: string, value: T) => {
      const questions = audiences.get(audience) ?? new Map<string, T>();
      audiences.set(audience, questions.set(question, value));
    },
    delete: (audience: Audience, question: string) => {
      const questions = audiences.get(audience);
      questions?.delete(question);
      if (questions?.size === 0) audiences.delete(audience);
    },
    of: (audience: Audience): Iterable<T> => audiences.get(audience)?.values() ?? [],
    all: (): Iterable<T> => [...audiences.values()].flatMap((questions) => [...questions.values()]),
    deleteAll: (audience: Audience) => void audiences.delete(audience),
    clear: () => audiences.clear(),
  };
}
