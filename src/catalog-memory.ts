import { evenIfGone } from "./asking.ts";
import type { Notice } from "./notices.ts";

/** Something made of the catalog, and of the exercises of `ownerId` unless that is null. */
export type Remembered = { key: string; value: unknown; bytes: number; ownerId: string | null };

/** An answer, and what may be remembered of having made it. */
export type Made<T> = { value: T; remember: Remembered[] };

/** What this process remembers of the catalog and of people's exercises: exact in every process (ADR 0010). */
export type CatalogMemory = {
  /** What is remembered under `key`, or undefined when the database has to be asked. */
  recall<T>(key: string): T | undefined;
  /**
   * Makes what is not remembered, once for all who ask for `key` meanwhile, and remembers what that yields unless a notice
   * overtook it. A key names the whole question, and the asker where the answer depends on who asks.
   */
  load<T>(key: string, askerId: string | null, make: () => Promise<Made<T>>): Promise<T>;
  /** What `notice` says must be forgotten. */
  forget(notice: Notice | "everything"): void;
  /** Counts what was forgotten. */
  epoch(): number;
  /** Whether what was recalled at `epoch` may be given again, whatever it was made of: then it is a hit like `recall`'s. */
  isCurrent(epoch: number): boolean;
  readonly bytes: number;
  /** How often `recall` found something, and not. */
  readonly recalls: { hits: number; misses: number };
};

type Flight = { askerId: string | null; isOvertaken: boolean; result: Promise<Made<unknown>> };

/** `isTrusted` says whether every notice so far has reached this process; the longest unused go beyond `limitBytes`. */
export function createCatalogMemory(isTrusted: () => boolean, limitBytes: number): CatalogMemory {
  const entries = new Map<string, Remembered>();
  const keysOfOwner = new Map<string, Set<string>>();
  const flights = new Map<string, Flight>();
  const recalls = { hits: 0, misses: 0 };
  let bytes = 0;
  let epoch = 0;

  const drop = (key: string) => {
    const entry = entries.get(key);
    if (!entry) return;
    entries.delete(key);
    bytes -= entry.bytes;
    if (entry.ownerId === null) return;
    const keys = keysOfOwner.get(entry.ownerId);
    keys?.delete(key);
    if (keys?.size === 0) keysOfOwner.delete(entry.ownerId);
  };
  const remember = (entry: Remembered) => {
    const { key } = entry;
    drop(key);
    if (entry.bytes > limitBytes) return;
    entries.set(key, entry);
    bytes += entry.bytes;
    if (entry.ownerId !== null) {
      const keys = keysOfOwner.get(entry.ownerId) ?? new Set();
      keysOfOwner.set(entry.ownerId, keys.add(key));
    }
    while (bytes > limitBytes) drop(entries.keys().next().value as string);
  };
  /** Nobody joins a flight that may show what was before, and its answer is not kept. */
  const overtake = (isOvertaken: (flight: Flight) => boolean) => {
    for (const [key, flight] of flights) {
      if (!isOvertaken(flight)) continue;
      flight.isOvertaken = true;
      flights.delete(key);
    }
  };

  return {
    recall: <T>(key: string) => {
      const entry = entries.get(key);
      if (!entry || !isTrusted()) {
        recalls.misses++;
        return undefined;
      }
      recalls.hits++;
      // Uses are tracked only when something is near being forgotten.
      if (bytes * 2 > limitBytes) {
        entries.delete(key);
        entries.set(key, entry);
      }
      return entry.value as T;
    },
    load: async <T>(key: string, askerId: string | null, make: () => Promise<Made<T>>) => {
      if (!isTrusted()) return (await make()).value;
      const running = flights.get(key);
      if (running) return (await running.result).value as T;
      const flight: Flight = { askerId, isOvertaken: false, result: evenIfGone(make) };
      flights.set(key, flight);
      try {
        const made = (await flight.result) as Made<T>;
        if (!flight.isOvertaken) made.remember.forEach(remember);
        return made.value;
      } finally {
        if (flights.get(key) === flight) flights.delete(key);
      }
    },
    forget: (notice) => {
      if (notice === "everything" || "catalog" in notice) {
        entries.clear();
        keysOfOwner.clear();
        bytes = 0;
        overtake(() => true);
      } else if ("exercisesOf" in notice) {
        const ownerId = notice.exercisesOf;
        for (const key of keysOfOwner.get(ownerId) ?? []) drop(key);
        overtake((flight) => flight.askerId === ownerId);
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
