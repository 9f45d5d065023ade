import { refusalOf } from "#db/errors.ts";
import { evenIfGone } from "./asking.ts";
import type { Notice } from "./notices.ts";

/** The id of the user to whom an answer may be given; null for everyone, when it shows the catalog only. */
export type Audience = string | null;

/** One cached value: the whole question that it answers, and its audience. */
export type Remembered = { question: string; audience: Audience; value: unknown; bytes: number };

/** An answer, its audience, and what else its computation found out that may be cached. */
export type Made<T> = { value: T; audience: Audience; bytes: number; also?: Remembered[] };

/**
 * This process's cache of what it read of the catalog and of people's own exercises: exact in every process (ADR 0010).
 * Every entry and every computation names its audience, and is found only by a caller that names the same one.
 */
export type CatalogMemory = {
  /** The cached answer to `question` for `audience`, or undefined when the database has to be asked. */
  recall<T>(question: string, audience: Audience): T | undefined;
  /**
   * Computes what is not cached, once for all callers that ask the same for the same audience meanwhile, and caches the
   * result unless an invalidation overtook it. Throws when `make` yields what another audience must not see: then nothing
   * is cached and no joiner gets it. Joiners of a caller that was refused (503) ask again for themselves.
   */
  load<T>(question: string, audience: Audience, make: () => Promise<Made<T>>): Promise<T>;
  /** Drops what `notice` invalidates. */
  forget(notice: Notice | "everything"): void;
  /** Counts invalidations. */
  epoch(): number;
  /** Whether what was recalled at `epoch` may be given again, whatever it was made of: then it is a hit like `recall`'s. */
  isCurrent(epoch: number): boolean;
  readonly bytes: number;
  /** How often `recall` found something, and not. */
  readonly recalls: { hits: number; misses: number };
};

type Flight = { isOvertaken: boolean; result: Promise<Made<unknown>> };

/** `isTrusted` says whether every notice so far has reached this process; the longest unused go beyond `limitBytes`. */
export function createCatalogMemory(isTrusted: () => boolean, limitBytes: number): CatalogMemory {
  const entries = createByAudience<Remembered>();
  const byUse = new Set<Remembered>();
  const flights = createByAudience<Flight>();
  const recalls = { hits: 0, misses: 0 };
  let bytes = 0;
  let epoch = 0;

  const drop = (entry: Remembered) => {
    entries.delete(entry.audience, entry.question);
    byUse.delete(entry);
    bytes -= entry.bytes;
  };
  const remember = (entry: Remembered) => {
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
  /** What a flight shows may be of before: no one joins it any more, and its result is not cached. */
  const overtake = (flying: Iterable<Flight>) => {
    for (const flight of flying) flight.isOvertaken = true;
  };
  const start = async <T>(question: string, audience: Audience, make: () => Promise<Made<T>>) => {
    const flight: Flight = { isOvertaken: false, result: evenIfGone(make).then((made) => checked(made, audience)) };
    flights.set(audience, question, flight);
    try {
      const { value, also = [], ...made } = (await flight.result) as Made<T>;
      if (!flight.isOvertaken) for (const entry of [{ question, value, ...made }, ...also]) remember(entry);
      return value;
    } finally {
      if (flights.get(audience, question) === flight) flights.delete(audience, question);
    }
  };

  return {
    recall: <T>(question: string, audience: Audience) => {
      const entry = entries.get(audience, question);
      if (!entry || !isTrusted()) {
        recalls.misses++;
        return undefined;
      }
      recalls.hits++;
      // Uses are tracked only when something is near being evicted.
      if (bytes * 2 > limitBytes) {
        byUse.delete(entry);
        byUse.add(entry);
      }
      return entry.value as T;
    },
    load: async <T>(question: string, audience: Audience, make: () => Promise<Made<T>>) => {
      for (let joined = 0; ; joined++) {
        if (!isTrusted()) return (await make()).value;
        const running = flights.get(audience, question);
        if (!running) return await start(question, audience, make);
        try {
          return (await running.result).value as T;
        } catch (error) {
          // The starter was refused, which says nothing about this caller. A second time, it has waited as long itself.
          if (joined > 0 || refusalOf(error) === undefined) throw error;
        }
      }
    },
    forget: (notice) => {
      if (notice === "everything" || "catalog" in notice) {
        entries.clear();
        byUse.clear();
        bytes = 0;
        overtake(flights.all());
        flights.clear();
      } else if ("exercisesOf" in notice) {
        const ownerId = notice.exercisesOf;
        for (const entry of [...entries.of(ownerId)]) drop(entry);
        overtake(flights.of(ownerId));
        flights.deleteAll(ownerId);
      } else return;
      epoch++;
    },
    epoch: () => epoch,
    isCurrent: (of) => {
      const isCurrent = of === epoch && isTrusted();
      if (isCurrent) recalls.hits++;
      return isCurrent;
    },
    recalls,
    get bytes() {
      return bytes;
    },
  };
}

/** `made`, if all of it is for `audience` or for everyone. */
function checked<T>(made: Made<T>, audience: Audience): Made<T> {
  for (const { audience: whose } of [made, ...(made.also ?? [])]) {
    if (whose !== null && whose !== audience) throw new Error("An answer is not for the audience that it was made for");
  }
  return made;
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
